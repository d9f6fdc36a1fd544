"""How unlike the most frequent class a row looks: as a model, and as a feature."""
