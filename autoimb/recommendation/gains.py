"""Every strategy against doing nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from autoimb.displays.strategies import StrategiesDisplay
from autoimb.errors import UsageError
from autoimb.evaluation.compare import Comparison, Resampled, compare, is_same
from autoimb.metrics import Metric
from autoimb.recommendation.plainness import NOTHING, Tier
from autoimb.search.baselines import DO_NOTHING

__all__ = ["compare_with_nothing", "display_gains"]

# How the best strategy of a degree of plainness is called among the obvious ones.
WORDS = {
    "threshold": "best plain model",
    "weight": "best with a weight",
    "sampler": "best with a sampler",
    "ensemble": "best ensemble",
    "blend": "blend led by",
}


def compare_with_nothing(
    obvious: Mapping[str, Resampled],
    searched: Mapping[str, Resampled],
    optimism: float,
    shrink: float = 1.0,
) -> tuple[Comparison, ...]:
    """Hold every strategy against doing nothing, in intervals that hold for all at once.

    Parameters
    ----------
    obvious : mapping of str to Resampled
        The baselines; without that of doing nothing there is nothing to compare with.
    searched : mapping of str to Resampled
        Strategies that were chosen as the best of many.
    optimism : float
        What the scores of those owe to the choice: that of the best, which owes most.
    shrink : float
        As in `compare`.

    Returns
    -------
    tuple of Comparison
        Of each strategy, above 0 where it is better; an obvious one that predicts the same as
        another is left out.

    Examples
    --------
    >>> values = np.linspace(-0.1, 0.1, 101)
    >>> nothing, smote = Resampled(0.5, 0.5 + values), Resampled(0.6, 0.6 + values**2)
    >>> (found,) = compare_with_nothing({"do nothing": nothing}, {"smote": smote}, optimism=0.02)
    >>> found.name, round(found.difference, 2), found.is_clear
    ('smote', 0.08, False)
    """
    if DO_NOTHING not in obvious:
        return ()
    nothing = obvious[DO_NOTHING]
    known = (nothing, *searched.values())
    others = {
        name: one
        for name, one in obvious.items()
        if not any(is_same(one, other) for other in known)
    }
    for name, one in searched.items():
        is_obvious = any(is_same(one, other) for other in obvious.values())
        others[name] = one if is_obvious else replace(one, value=one.value - optimism)
    # What nothing lacks of another is what that gains over it.
    turned = {name: _turn(one) for name, one in others.items()}
    return compare(_turn(nothing), turned, shrink=shrink)


def _turn(one: Resampled) -> Resampled:
    return Resampled(-one.value, -one.values)


def display_gains(
    gains: Sequence[Comparison],
    tiers: Sequence[Tier],
    exported: str,
    metric: Metric,
    nothing: float,
) -> StrategiesDisplay:
    """Put what strategies gain over doing nothing into a display, the best first.

    Parameters
    ----------
    gains : sequence of Comparison
        Named by a baseline or a tier.
    tiers : sequence of Tier
    exported : str
        Name of the tier that the model is.
    metric : Metric
    nothing : float
        The score of doing nothing.

    Returns
    -------
    StrategiesDisplay

    Raises
    ------
    UsageError
        If nothing was compared.
    """
    if not gains:
        raise UsageError(
            "no strategy was compared with doing nothing, for which time did not suffice, or "
            "which failed. Give a larger budget."
        )
    called = {tier.name: _name(tier) for tier in tiers}
    reference = Comparison(DO_NOTHING, 0.0, 0.0, 0.0, 0.0, 0.5)
    each = sorted([reference, *gains], key=lambda one: -one.difference)
    table = np.array([[one.difference, one.low, one.high] for one in each])
    return StrategiesDisplay(
        names=tuple(called.get(one.name, one.name) for one in each),
        gain=table[:, 0],
        low=table[:, 1],
        high=table[:, 2],
        score=nothing + metric.utility(1.0) * table[:, 0],
        metric=metric.name,
        reference=DO_NOTHING,
        exported=called[exported],
        p_better=np.array([one.p_better for one in each]),
    )


def _name(tier: Tier) -> str:
    if tier.name == NOTHING:
        return DO_NOTHING
    mark = "" if tier.name == "blend" else ":"
    return f"{WORDS[tier.name]}{mark} {str(tier.configuration).replace('_', ' ')}"
