"""Probabilities where the classes are more or less frequent than in the training data."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray

__all__ = ["MIN_SHARE", "estimate_prevalence", "match_prevalence", "shift_prevalence"]

MAX_ROUNDS, TOLERANCE = 10_000, 1e-8
# A class that is rarer is taken for absent, and nothing can be decided for it.
MIN_SHARE = 1e-6
# Steps towards the shares of the classes, each of which takes away most of what is left.
N_MATCHES = 50


def shift_prevalence(proba: FloatArray, ratios: FloatArray) -> FloatArray:
    """Correct probabilities for classes that are more or less frequent, and otherwise alike.

    Of two classes this shifts the log-odds by the logarithm of the quotient of the ratios (King
    and Zeng 2001, equation 7; Dal Pozzolo et al. 2015).

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
    ratios : ndarray of shape (n_classes,)
        How many times as frequent each class is as where the probabilities are right.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> shift_prevalence(np.array([[0.5, 0.5]]), np.array([10.0, 1.0])).round(3)
    array([[0.909, 0.091]])
    """
    weighted = proba * ratios
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def match_prevalence(proba: FloatArray, shares: FloatArray) -> FloatArray:
    """Find what to divide by for the mean probabilities to be the shares of the classes.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
    shares : ndarray of shape (n_classes,)
        Of the same rows.

    Returns
    -------
    ndarray of shape (n_classes,)

    Examples
    --------
    >>> proba = np.array([[0.5, 0.5], [0.2, 0.8]])
    >>> divisors = match_prevalence(proba, np.array([0.75, 0.25]))
    >>> shift_prevalence(proba, 1 / divisors).mean(axis=0).round(3)
    array([0.75, 0.25])
    """
    divisors = np.ones(len(shares))
    for _ in range(N_MATCHES):
        divisors *= shift_prevalence(proba, 1 / divisors).mean(axis=0) / shares
    return divisors


def estimate_prevalence(proba: FloatArray, prevalence: FloatArray) -> FloatArray:
    """Estimate how frequent the classes are among rows without labels.

    Expectation maximisation (Saerens, Latinne and Decaestecker 2002) makes the mean of the
    corrected probabilities agree with the frequencies that they were corrected for. It assumes
    that the rows of a class are alike wherever they come from, and that the probabilities are
    calibrated.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Of the rows, right at `prevalence`.
    prevalence : ndarray of shape (n_classes,)
        Of the training data.

    Returns
    -------
    ndarray of shape (n_classes,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.random(20_000) < 0.3  # where training had a tenth
    >>> odds = np.log(0.1 / 0.9) + 2 * (rng.normal(2 * y, 1) - 1)
    >>> p = 1 / (1 + np.exp(-odds))
    >>> estimate_prevalence(np.column_stack([1 - p, p]), np.array([0.9, 0.1])).round(2)
    array([0.71, 0.29])
    """
    proba = np.asarray(proba, dtype=float)
    found = np.asarray(prevalence, dtype=float)
    for _ in range(MAX_ROUNDS):
        before, found = found, shift_prevalence(proba, found / prevalence).mean(axis=0)
        # A class that seems to be absent may yet turn up.
        found = np.maximum(found, MIN_SHARE) / np.maximum(found, MIN_SHARE).sum()
        if abs(found - before).max() < TOLERANCE:
            break
    return found
