"""From a configuration to out-of-fold probabilities and their scores."""
