"""Samplers that imbalanced-learn does not have, in its manner."""
