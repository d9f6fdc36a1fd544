"""How unequal the classes are."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray, IntArray

__all__ = ["class_entropy_gap", "imbalance_degree", "rare_classes"]


def class_entropy_gap(sizes: IntArray) -> float:
    """Compute C1, one minus the normalised entropy of the class shares.

    Parameters
    ----------
    sizes : ndarray of shape (n_classes,)
        Rows of each class, at least one.

    Returns
    -------
    float
        0 for equal classes, towards 1 the more unequal they are.

    References
    ----------
    Lorena et al. (2019), How complex is your classification problem?, ACM Computing Surveys.

    Examples
    --------
    >>> round(class_entropy_gap(np.array([358, 42])), 6)
    0.515352
    """
    p = sizes / sizes.sum()
    return max(float(1 + (p * np.log(p)).sum() / np.log(len(p))), 0.0)


def imbalance_degree(sizes: IntArray) -> float:
    """Compute the imbalance degree with the Hellinger distance.

    Parameters
    ----------
    sizes : ndarray of shape (n_classes,)

    Returns
    -------
    float
        Between m - 1 and m for m classes rarer than the average; 0 for equal classes.

    References
    ----------
    Ortigosa-Hernández, Inza and Lozano (2017), Measuring the class-imbalance extent of
    multi-class problems, Pattern Recognition Letters.

    Examples
    --------
    >>> round(imbalance_degree(np.array([59, 71, 48])), 6), imbalance_degree(np.array([5, 5]))
    (1.086419, 0.0)
    """
    n_classes, p = len(sizes), sizes / sizes.sum()
    m = int((sizes * n_classes < sizes.sum()).sum())
    if not m:
        return 0.0
    equal = np.full(n_classes, 1 / n_classes)
    furthest = equal.copy()
    furthest[:m] = 0.0
    furthest[-1] = 1 - (n_classes - m - 1) / n_classes
    return float(_hellinger(p, equal) / _hellinger(furthest, equal) + m - 1)


def _hellinger(p: FloatArray, q: FloatArray) -> float:
    return float(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2))


def rare_classes(sizes: IntArray) -> IntArray:
    """Name the classes rarer than the average, the rarest first.

    Parameters
    ----------
    sizes : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of int
        Codes; of two equal classes the positive one (code 1), of more the first.

    Examples
    --------
    >>> rare_classes(np.array([10, 90])), rare_classes(np.array([5, 5]))
    (array([0]), array([1]))
    >>> rare_classes(np.array([50, 9, 20, 5]))
    array([3, 1, 2])
    """
    order = np.argsort(sizes, kind="stable")
    rare = order[sizes[order] * len(sizes) < sizes.sum()]
    return rare if len(rare) else np.array([1 if len(sizes) == 2 else 0])
