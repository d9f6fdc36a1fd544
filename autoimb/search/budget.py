"""How long a search may take: seconds, trials, or both."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from autoimb.errors import UsageError
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.search.records import Candidate

__all__ = ["Budget", "RefitCost", "parse_seconds"]

# Part of the time that is kept for what follows the search: report and tracking.
FINISHING_SHARE = 0.05
# Refitting on all rows takes a little longer than the folds suggest.
REFIT_MARGIN = 1.3
# Part of the time that may be kept to train what the best strategy is blended with.
BLEND_SHARE = 0.2
# No single trial may take more than this part of the time, unless all of them are slow.
TRIAL_SHARE = 0.1
# But always as many seconds, if they are not half of it: another worker takes some to start.
TRIAL_SECONDS = 5.0
# The first one may take half of the time, and as many seconds as these.
FIRST_SECONDS = 30.0
# A fit should end within 1.05 of its budget and 5 s: what follows the last training needs some.
GRACE_SHARE, GRACE_SECONDS = 1.0, 1.0
# What the model goes by is measured in what is left, less what tracking the outcome takes: in so
# many seconds, or this part of the time where a training has to come first, which few fits need.
EXPLAINING_SECONDS, EXPLAINING_SHARE = 2.0, 0.05
# Part of the time, and seconds at most, that are kept for it.
KEPT_SHARE = 0.03
TRACKING_SHARE, TRACKING_SECONDS = 0.02, 1.0
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_seconds(text: str) -> float:
    """Read a duration such as 90, 60s, 5m or 1h.

    Parameters
    ----------
    text : str

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    UsageError
        If it is no positive duration.

    Examples
    --------
    >>> parse_seconds("5m")
    300.0
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(s|m|min|h|)\s*", text)
    if not found or float(found[1]) <= 0:
        raise UsageError(
            f"budget must be a positive duration such as 60s, 5m or 1h, but got '{text}'."
        )
    return float(found[1]) * UNITS[found[2]]


@dataclass(frozen=True)
class Budget:
    """A limit in seconds, in trials, or both; the clock starts when it is made.

    Attributes
    ----------
    seconds : float or None
    trials : int or None
    started : float
        By the monotonic clock.

    Raises
    ------
    UsageError
        If there is no limit, or one that is not positive.

    Examples
    --------
    >>> Budget(seconds=None, trials=3).left()
    inf
    """

    seconds: float | None = 60.0
    trials: int | None = None
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Check the limits."""
        if self.seconds is None and self.trials is None:
            raise UsageError(
                "a budget is needed: give seconds (time_budget), trials (n_trials), or both."
            )
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise UsageError(
                f"time_budget must be a positive number of seconds, but got {self.seconds}."
            )
        if self.trials is not None and self.trials < 1:
            raise UsageError(f"n_trials must be at least 1, but got {self.trials}.")

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def left(self) -> float:
        """Seconds left, infinite without a limit."""
        return math.inf if self.seconds is None else self.seconds - self.elapsed()

    def less(self, spent: float) -> Budget:
        """Count seconds that an earlier process has spent."""
        return replace(self, started=self.started - spent) if spent else self

    def left_to_search(
        self, refit_seconds: Sequence[float], *, first_share: float = math.inf
    ) -> float:
        """Seconds left once refitting and finishing are set aside.

        Parameters
        ----------
        refit_seconds : sequence of float
            Of each strategy that is to be exported, the best first: it is exported in any case,
            the others as far as `BLEND_SHARE` allows.
        first_share : float
            Part of the time that is kept for the best at most.
        """
        if self.seconds is None:
            return math.inf
        first = min(sum(refit_seconds[:1]) * REFIT_MARGIN, self.seconds * first_share)
        others = min(sum(refit_seconds[1:]) * REFIT_MARGIN, self.seconds * BLEND_SHARE)
        kept = self.seconds * FINISHING_SHARE + self._kept_to_explain()
        return self.left() - first - others - kept

    def grace(self) -> float | None:
        """Seconds after which the last fit has to give way to a shorter one."""
        if self.seconds is None:
            return None
        return max(self.seconds * GRACE_SHARE + GRACE_SECONDS - self.elapsed(), 1.0)

    def left_to_explain(self) -> float | None:
        """Seconds that explaining what is exported may take: none that tracking needs.

        Returns
        -------
        float or None
            0 or less if nothing is left; None without a limit.

        Examples
        --------
        >>> Budget(seconds=60.0).left_to_explain(), Budget(None, trials=3).left_to_explain()
        (3.0, None)
        """
        if self.seconds is None:
            return None
        tracking = min(self.seconds * TRACKING_SHARE, TRACKING_SECONDS)
        most = max(EXPLAINING_SECONDS, self.seconds * EXPLAINING_SHARE)
        return min(most, self.left() - tracking)

    def _kept_to_explain(self) -> float:
        """Seconds that are kept for explaining what is exported."""
        return min(EXPLAINING_SECONDS, (self.seconds or 0.0) * KEPT_SHARE)

    def affordable(self, refit_seconds: Sequence[float]) -> list[int]:
        """Choose which strategies to refit in what is left, in order: the first in any case.

        Examples
        --------
        >>> Budget(seconds=10.0).affordable([5.0, 4.0, 1.0])
        [0, 2]
        """
        chosen, left = [], self.left() - self._kept_to_explain()
        for number, seconds in enumerate(refit_seconds):
            if number == 0 or seconds * REFIT_MARGIN <= left:
                chosen.append(number)
                left -= seconds * REFIT_MARGIN
        return chosen

    def trial_limit(self, typical_seconds: float, *, is_first: bool = False) -> float | None:
        """Seconds that one trial may take, given what trials took so far.

        The first may take half of the time: without a result there is nothing to export.
        """
        if self.seconds is None:
            return None
        if is_first:
            return max(self.seconds / 2, FIRST_SECONDS)
        share = max(self.seconds * TRIAL_SHARE, min(TRIAL_SECONDS, self.seconds / 2))
        return max(share, 3 * typical_seconds)


@dataclass(frozen=True)
class RefitCost:
    """How long it takes to train what is exported, which a search keeps time for.

    Attributes
    ----------
    n_strategies : int
        How many at most.
    trained : float
        Rows that each strategy is trained on, over all its fits, as a share of the table's.
    n_rows, n_folds : int
        Of the table, and that it is dealt into.
    n_fits, n_workers : int
        Of each strategy, and how many run at once.
    """

    n_strategies: int
    trained: float
    n_rows: int
    n_folds: int
    n_fits: int = 1
    n_workers: int = 1

    @classmethod
    def of_one(cls, evaluator: Evaluator) -> RefitCost:
        """Make the cost of training one strategy once, on all rows."""
        return cls(1, 1.0, len(evaluator.y), evaluator.n_folds)

    def seconds(self, candidates: Sequence[Candidate]) -> list[float]:
        """Estimate the seconds of each strategy from those that training it on folds took."""
        several = min(self.n_workers, self.n_fits * self.n_strategies)
        return [
            self.trained
            * c.evaluation.training_seconds
            / self.share_trained(c.level)
            # The best has to end in time even if it is exported alone.
            / (several if place else min(self.n_workers, self.n_fits))
            for place, c in enumerate(candidates[: self.n_strategies])
        ]

    def share_trained(self, level: Level) -> float:
        """Rows that an evaluation trains on, over all its folds, as a share of the table's."""
        return level.share_trained(self.n_rows, self.n_folds)
