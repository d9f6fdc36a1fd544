"""The card beside a model, for people to read."""
