"""From probabilities to labels."""
