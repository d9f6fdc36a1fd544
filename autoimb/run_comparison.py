"""Two runs side by side: what differs, and whether one is ahead by more than noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autoimb.errors import UsageError
from autoimb.metrics import get_metric
from autoimb.past_run import VERSIONS, PastRun

__all__ = ["Lead", "RunComparison", "compare_runs"]

# What was asked, in the words that it is shown by.
ASKED = {
    "data_sha256": "data (sha256)", "data": "data", "rows": "rows", "target": "target",
    "positive": "positive class", "groups": "groups", "time": "time", "metric": "metric",
    "decision_asked": "decision", "space": "search space", "n_folds": "folds",
    "budget_seconds": "budget in seconds", "budget_trials": "budget in trials", "seed": "seed",
    "blend": "blend", "prefer": "prefer",
    **{field: f"version of {package}" for field, package in VERSIONS.items()},
}  # fmt: skip
# Of these None is an answer: there is no such column or limit. Else nobody wrote it down.
MAY_BE_NONE = {"positive", "groups", "time", "budget_seconds", "budget_trials"}
# What follows from other data.
OF_DATA = {"data", "rows"}


@dataclass(frozen=True)
class Lead:
    """How far one run is ahead of another.

    Attributes
    ----------
    name : str
        Of the one that is ahead.
    difference : float
        Of the headlines, 0 or more whatever the metric.
    low, high : float or None
        Of its 95 % interval; None where an interval of the headlines is not stored.
    """

    name: str
    difference: float
    low: float | None = None
    high: float | None = None

    @property
    def is_beyond_noise(self) -> bool | None:
        """Whether the difference is more than noise; None where that cannot be told."""
        return None if self.low is None else self.low > 0


@dataclass(frozen=True)
class RunComparison:
    """Two runs side by side.

    Attributes
    ----------
    names : tuple of str
    runs : tuple of PastRun
    differing : mapping of str to tuple
        What was asked and is not the same: in words, with both values.
    unknown : tuple of str
        What one of them does not tell, so that it may differ.
    lead : Lead or None
        None where the headlines say nothing about each other.
    verdict : str
        What they say, in a sentence.

    Examples
    --------
    >>> same = {"data_sha256": "e3b0", "metric": "f1", "status": "finished"}
    >>> one = PastRun(**same, headline=0.6, headline_low=0.5, headline_high=0.7, seed=0)
    >>> other = PastRun(**same, headline=0.9, headline_low=0.85, headline_high=0.95, seed=1)
    >>> found = compare_runs(("one", one), ("other", other))
    >>> found.differing, found.lead.is_beyond_noise
    ({'seed': (0, 1)}, True)
    """

    names: tuple[str, str]
    runs: tuple[PastRun, PastRun]
    differing: Mapping[str, tuple[Any, Any]]
    unknown: tuple[str, ...]
    lead: Lead | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        lead = self.lead
        return {
            "runs": [run.to_dict() for run in self.runs],
            "differing": {name: list(both) for name, both in self.differing.items()},
            "unknown": list(self.unknown),
            "lead": None
            if lead is None
            else {**vars(lead), "is_beyond_noise": lead.is_beyond_noise},
            "verdict": self.verdict,
        }


def compare_runs(one: tuple[str, PastRun], other: tuple[str, PastRun]) -> RunComparison:
    """Put two runs side by side.

    Headlines are held against each other only where both are of the same rows, class and metric.
    The interval of their difference is that of Zou and Donner (2008), from the two intervals,
    taken as independent. Scores of the same rows vary together, so that it is wider than it need
    be: it can miss a difference, but hardly make one up.

    Parameters
    ----------
    one, other : tuple of str and PastRun
        What the run is called, and the run.

    Returns
    -------
    RunComparison
    """
    first, second = one[1], other[1]
    both = {field: (getattr(first, field), getattr(second, field)) for field in ASKED}
    known = {
        field: values
        for field, values in both.items()
        if field in MAY_BE_NONE or None not in values
    }
    differing = {field for field, values in known.items() if values[0] != values[1]}
    if "data_sha256" in known and "data_sha256" not in differing:
        differing -= OF_DATA  # copies of one file are the same data
    unsaid = [ASKED[f] for f in both if f not in known and both[f] != (None, None)]
    lead, verdict = _judge(one, other)
    return RunComparison(
        (one[0], other[0]),
        (first, second),
        {words: both[field] for field, words in ASKED.items() if field in differing},
        tuple(unsaid),
        lead,
        verdict,
    )


def _judge(one: tuple[str, PastRun], other: tuple[str, PastRun]) -> tuple[Lead | None, str]:
    obstacle = next(_obstacles(one, other), None)
    if obstacle is not None:
        return None, obstacle
    lead = _lead(one, other)
    return lead, _words(lead, one, other)


def _obstacles(one: tuple[str, PastRun], other: tuple[str, PastRun]) -> Iterator[str]:
    """Say what keeps two headlines from saying anything about each other."""
    for name, run in (one, other):
        if run.headline is None:
            yield f"{name} has no headline ({run.status}): there is nothing to compare."
    first, second = one[1], other[1]
    if first.metric != second.metric:
        yield "The headlines are of different metrics: they say nothing about each other."
    if first.data_sha256 is None or second.data_sha256 is None:
        yield (
            "It is not written down whether both are of the same data: the headlines cannot be "
            "held against each other."
        )
    if first.data_sha256 != second.data_sha256:
        yield "The runs are of different data: their headlines do not tell which is better."
    if first.positive != second.positive:
        yield "The runs look for different classes: their headlines do not tell which is better."


def _lead(one: tuple[str, PastRun], other: tuple[str, PastRun]) -> Lead:
    (name, ahead), (_, behind) = _sort(one, other)
    assert ahead.headline is not None and behind.headline is not None
    difference = abs(ahead.headline - behind.headline)
    better, worse = _distances(ahead), _distances(behind)
    if better is None or worse is None:
        return Lead(name, difference)
    low = difference - math.hypot(better[0], worse[1])
    high = difference + math.hypot(better[1], worse[0])
    return Lead(name, difference, low, high)


def _sort(
    one: tuple[str, PastRun], other: tuple[str, PastRun]
) -> tuple[tuple[str, PastRun], tuple[str, PastRun]]:
    """Put the better one first."""
    first, second = (_sign(run) * (run.headline or 0.0) for _, run in (one, other))
    return (one, other) if first >= second else (other, one)


def _sign(run: PastRun) -> float:
    """Return -1 for a metric of which less is better."""
    try:
        return get_metric(str(run.metric)).utility(1.0)
    except UsageError:  # of another version
        return 1.0


def _distances(run: PastRun) -> tuple[float, float] | None:
    """Return how much worse and how much better a headline may be."""
    if run.headline is None or run.headline_low is None or run.headline_high is None:
        return None
    ends = run.headline - run.headline_low, run.headline_high - run.headline
    return ends if _sign(run) > 0 else ends[::-1]


def _words(lead: Lead, one: tuple[str, PastRun], other: tuple[str, PastRun]) -> str:
    if not lead.difference:
        return "The headlines are equal."
    if lead.low is None or lead.high is None:
        without = next(name for name, run in (one, other) if _distances(run) is None)
        return (
            f"{lead.name} is ahead by {lead.difference:.3f}; whether that is more than noise "
            f"cannot be told, for of {without} no interval is stored."
        )
    span = f"by {lead.difference:.3f} (95 %: {lead.low:+.3f} to {lead.high:+.3f})"
    if lead.is_beyond_noise:
        return (
            f"{lead.name} is ahead {span}: more than noise by the two stored intervals, even taken "
            "as independent, though they are of the same rows."
        )
    return (
        f"{lead.name} is ahead {span}: not more than noise as far as the two stored intervals "
        "tell. They are of the same rows, so that a comparison row by row might tell more."
    )
