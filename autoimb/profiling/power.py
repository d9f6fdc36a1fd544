"""What a number of positives can show: widths of intervals, and the least difference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

from autoimb.profiling.sampling import NORMAL_95

__all__ = ["PowerCard", "f1_half_width", "power_card", "share_half_width"]

# An exact sign test of pairs finds p < .05 from six on that all point one way: 2 / 2^6 = .031.
FEWEST_DISCORDANT = 6
# Normal quantile of 80 % power, the usual one since Cohen (1988).
NORMAL_80 = 0.841621
# How many positives two strategies judge differently, for the usual difference.
DISCORDANT_SHARE = 0.2
WORST_F1 = 1 - 3**-0.5  # where F (1 - F) (2 - F) is largest


@dataclass(frozen=True)
class PowerCard:
    """How far scores may be off, and what differences can be seen, at a number of positives.

    Every positive is scored once, as in cross-validation. The widths are for scores in the
    middle of their range, where they are widest; a fixed model is scored, so what the choice of
    training rows adds comes on top.

    Attributes
    ----------
    n_positives : int
        Rows of the rarest class.
    average_precision, recall, f1 : float
        Half-widths of 95 % intervals.
    smallest_recall_difference : float
        Below it no test at 5 % can tell two strategies apart at all: six positives must be
        found by one that the other misses, and none the other way round. Above 1 where there
        are fewer.
    usual_recall_difference : float
        Found with 80 % probability if the two differ on a fifth of the positives, or, with
        fewer than 40, only where one finds what the other misses.
    """

    n_positives: int
    average_precision: float
    recall: float
    f1: float
    smallest_recall_difference: float
    usual_recall_difference: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """Tell it in two sentences."""
        widths = (
            f"With {self.n_positives:,} positives a 95 % interval reaches "
            f"±{self.average_precision:.3f} (average precision), ±{self.recall:.3f} (recall), "
            f"±{self.f1:.3f} (F1) at mid-range scores."
        )
        if self.smallest_recall_difference > 1:
            return f"{widths} No difference between two strategies could be shown at all."
        usual = min(self.usual_recall_difference, 1.0)
        return (
            f"{widths} Two strategies whose recall differs by less than "
            f"{self.smallest_recall_difference:.3f} cannot be told apart at all; "
            f"to be fairly sure takes about {usual:.3f}."
        )


def power_card(n_positives: int) -> PowerCard:
    """Say what a number of positives can show.

    Parameters
    ----------
    n_positives : int
        At least 1.

    Returns
    -------
    PowerCard

    Examples
    --------
    >>> print(power_card(50))
    With 50 positives a 95 % interval reaches ±0.139 (average precision), ±0.139 (recall), \
±0.122 (F1) at mid-range scores. Two strategies whose recall differs by less than 0.120 cannot be \
told apart at all; to be fairly sure takes about 0.177.
    """
    width = share_half_width(0.5, n_positives)
    return PowerCard(
        n_positives,
        average_precision=width,
        recall=width,
        f1=f1_half_width(WORST_F1, n_positives),
        smallest_recall_difference=FEWEST_DISCORDANT / n_positives,
        usual_recall_difference=_usual_difference(n_positives),
    )


def _usual_difference(n: int) -> float:
    """Give the difference in recall that is found four times in five."""
    usual = float((NORMAL_95 + NORMAL_80) * np.sqrt(DISCORDANT_SHARE / n))
    if usual <= DISCORDANT_SHARE:
        return usual
    least = FEWEST_DISCORDANT / n
    if n < FEWEST_DISCORDANT:
        return least
    # Few positives: even if all discordant ones point one way, six have to turn up.
    return max(float(betaincinv(FEWEST_DISCORDANT, n - FEWEST_DISCORDANT + 1, 0.8)), least)


def share_half_width(share: float, n: int) -> float:
    """Give the half-width of a 95 % interval of recall, or of average precision.

    Parameters
    ----------
    share : float
        The score.
    n : int
        Positives.

    Returns
    -------
    float

    References
    ----------
    For average precision the binomial interval of Boyd, Eng and Page (2013), Area under the
    precision-recall curve: point estimates and confidence intervals.
    """
    return float(min(NORMAL_95 * np.sqrt(share * (1 - share) / n), 1.0))


def f1_half_width(f1: float, n: int) -> float:
    """Give the half-width of a 95 % interval of F1 where precision and recall are alike.

    Parameters
    ----------
    f1 : float
        The score.
    n : int
        Positives.

    Returns
    -------
    float

    Notes
    -----
    F1 = 2J / (1 + J) with J = TP / (TP + FP + FN), a share of m rows, which is n (2 - F1) where
    precision equals recall. The delta method then gives the variance
    F1 (1 - F1) (2 - F1) / (2 n).
    """
    return float(min(NORMAL_95 * np.sqrt(f1 * (1 - f1) * (2 - f1) / (2 * n)), 1.0))
