"""The Optuna study over a search space."""
