"""Ensembles of any model, made for rare classes."""
