"""How well three plain learners tell a class from the rest, before any search."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoimb.arrays import BoolArray, FloatArray
from autoimb.profiling.marginal import Sample
from autoimb.profiling.measures import Estimate, undefined
from autoimb.profiling.sampling import NORMAL_95

__all__ = ["Landmarks", "auc_half_width", "describe_landmarks"]

LEARNERS = ("lda", "tree", "naive_bayes")
TREE_DEPTH = 3
MIN_ROWS = 6
# A row is given to the rest below these probabilities of its class, were both equally frequent.
# A tree of depth 3 has eight leaves and so cannot be as sure as the others.
DOUBT = {"lda": 0.02, "tree": 0.2, "naive_bayes": 0.02}


@dataclass(frozen=True)
class Landmarks:
    """What the learners reach.

    Attributes
    ----------
    estimates : mapping of str to Estimate
        ROC AUC and lift of average precision of each.
    doubted : ndarray of shape (n_used,)
        Rows of the class that every learner, trained on the other half, gives to the rest.
    """

    estimates: Mapping[str, Estimate]
    doubted: BoolArray


def describe_landmarks(sample: Sample, seed: int) -> Landmarks:
    """Score linear discriminant analysis, a small tree and naive Bayes.

    Parameters
    ----------
    sample : Sample
    seed : int
        For the two folds.

    Returns
    -------
    Landmarks

    Notes
    -----
    Half-widths: of the ROC AUC by Hanley and McNeil (1982), of average precision the binomial
    one of Boyd, Eng and Page (2013). Rows are weighted back to the shares of the whole table.
    """
    is_member, share = sample.is_member, sample.share
    n = int(is_member.sum())
    names = [f"{name}_{score}" for name in LEARNERS for score in ("auc", "ap_lift")]
    if min(n, len(is_member) - n) < 2 or len(is_member) < MIN_ROWS:
        why = f"two folds need two rows of the class and {MIN_ROWS} in all"
        return Landmarks(dict.fromkeys(names, undefined(why)), np.zeros(len(is_member), dtype=bool))
    weight = np.where(is_member, share / n, (1 - share) / (len(is_member) - n))
    estimates: dict[str, Estimate] = {}
    doubted = is_member.copy()
    for name, scores in _out_of_fold(sample, seed).items():
        estimates |= _score(name, scores, is_member, weight * len(is_member), share)
        doubted &= _as_if_equal(scores, n / len(is_member)) < DOUBT[name]
    return Landmarks(estimates, doubted)


def _out_of_fold(sample: Sample, seed: int) -> dict[str, FloatArray]:
    """Give each learner's scores of rows that it did not see."""
    from sklearn.model_selection import StratifiedKFold

    scores = {name: np.zeros(len(sample.is_member)) for name in LEARNERS}
    folds = StratifiedKFold(2, shuffle=True, random_state=seed)
    for training, test in folds.split(sample.Z, sample.is_member):
        Z, y = sample.Z[training], sample.is_member[training]
        spreads = [np.ptp(Z[y == which], axis=0).max() for which in (False, True)]
        for name, learner in _learners(seed).items():
            if name == "lda" and not max(spreads):
                # Fisher's direction does not exist: that of the means does as well.
                scores[name][test] = _nearer_mean(Z, y, sample.Z[test])
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of collinear columns, which are no fault here
                found = learner.fit(Z, y).predict_proba(sample.Z[test])[:, 1]
            scores[name][test] = np.nan_to_num(found)
    return scores


def _nearer_mean(Z: FloatArray, y: BoolArray, Z_test: FloatArray) -> FloatArray:
    """Say whether rows are nearer to the mean of the class, or as near."""
    own, other = (((Z_test - Z[y == c].mean(axis=0)) ** 2).sum(axis=1) for c in (True, False))
    return np.asarray((own < other) + 0.5 * (own == other))


def _as_if_equal(scores: FloatArray, share: float) -> FloatArray:
    """Turn probabilities into those of classes that are equally frequent."""
    own, other = scores / share, (1 - scores) / (1 - share)
    return np.asarray(own / (own + other))


def _learners(seed: int) -> dict[str, Any]:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.naive_bayes import GaussianNB
    from sklearn.tree import DecisionTreeClassifier

    return {
        "lda": LinearDiscriminantAnalysis(),
        "tree": DecisionTreeClassifier(max_depth=TREE_DEPTH, random_state=seed),
        "naive_bayes": GaussianNB(),
    }


def _score(
    name: str, scores: FloatArray, is_member: BoolArray, weight: FloatArray, share: float
) -> dict[str, Estimate]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    n_used, n = len(is_member), int(is_member.sum())
    auc = float(roc_auc_score(is_member, scores))
    # Rounding may lift a perfect one above 1.
    precision = min(float(average_precision_score(is_member, scores, sample_weight=weight)), 1.0)
    width = NORMAL_95 * np.sqrt(precision * (1 - precision) / n) / (1 - share)
    lift = (precision - share) / (1 - share)
    return {
        f"{name}_auc": Estimate(auc, auc_half_width(auc, n, n_used - n), n_used),
        f"{name}_ap_lift": Estimate(lift, float(width), n_used),
    }


def auc_half_width(auc: float, n: int, n_others: int) -> float:
    """Give the half-width of a 95 % interval of a ROC AUC (Hanley and McNeil 1982).

    Parameters
    ----------
    auc : float
    n, n_others : int
        Rows of the class and of the rest.

    Returns
    -------
    float
    """
    both, same = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n - 1) * (both - auc**2) + (n_others - 1) * (same - auc**2)
    return float(NORMAL_95 * np.sqrt(max(variance, 0.0) / (n * n_others)))
