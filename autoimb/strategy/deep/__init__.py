"""Samplers and a classifier that are neural networks; they need the extra `autoimb[deep]`."""
