"""What is told of a finished model: the card beside it."""
