"""How a search stands: its trials counted, and the best of every strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from autoimb.metrics import Metric
from autoimb.recommendation.plainness import PLAINNESS, tier_of
from autoimb.search.records import TrialRecord

__all__ = ["Kind", "Standing"]


@dataclass(frozen=True)
class Kind:
    """The trials of one degree of plainness.

    Attributes
    ----------
    n_trials, n_failed : int
    best : TrialRecord or None
        None as long as none was scored.
    """

    n_trials: int = 0
    n_failed: int = 0
    best: TrialRecord | None = None


@dataclass(frozen=True)
class Standing:
    """What the finished trials come to.

    Another thread may look at it at any time, so that it never changes: each trial makes a new one.

    Attributes
    ----------
    metric : Metric
    n_trials, n_failed, n_pruned : int
    best : mapping of str to TrialRecord
        The best trial of each strategy.
    kinds : mapping of str to Kind
        By degree of plainness, as `plainness.tier_of` names it.
    """

    metric: Metric
    n_trials: int = 0
    n_failed: int = 0
    n_pruned: int = 0
    best: Mapping[str, TrialRecord] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def count(self, record: TrialRecord) -> Standing:
        """Add a finished trial.

        Parameters
        ----------
        record : TrialRecord

        Returns
        -------
        Standing
        """
        strategy, tier = str(record.configuration), tier_of(record.configuration)
        kind, failed = self.kinds.get(tier, Kind()), record.state == "failed"
        best = {}
        if math.isfinite(self.score(record)):
            best[strategy] = self._better(record, self.best.get(strategy))
            kind = replace(kind, best=self._better(record, kind.best))
        kind = replace(kind, n_trials=kind.n_trials + 1, n_failed=kind.n_failed + failed)
        return replace(
            self,
            n_trials=self.n_trials + 1,
            n_failed=self.n_failed + failed,
            n_pruned=self.n_pruned + (record.state == "pruned"),
            best={**self.best, **best},
            kinds={**self.kinds, tier: kind},
        )

    def score(self, record: TrialRecord) -> float:
        """Return what a trial is ranked by, NaN if it was not scored."""
        found = record.scores.get(self.metric.name)
        return math.nan if found is None else found.value

    def leaders(self, n: int) -> Sequence[TrialRecord]:
        """Rank the strategies, each by its best trial.

        Parameters
        ----------
        n : int
            How many at most.

        Returns
        -------
        sequence of TrialRecord
            The best first.
        """
        return sorted(self.best.values(), key=self._utility, reverse=True)[:n]

    def by_plainness(self) -> Mapping[str, Kind]:
        """Order the kinds that were tried, the plainest first."""
        return {tier: self.kinds[tier] for tier in PLAINNESS if tier in self.kinds}

    def _utility(self, record: TrialRecord) -> float:
        return self.metric.utility(self.score(record))

    def _better(self, record: TrialRecord, other: TrialRecord | None) -> TrialRecord:
        return other if other and self._utility(other) >= self._utility(record) else record
