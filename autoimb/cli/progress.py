"""Progress on stderr: a live view on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType

from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from autoimb.cli.live import Clock, start_live, tell_clock
from autoimb.cli.search_view import SearchView, tell_in_a_line
from autoimb.cli.standing import Standing
from autoimb.cli.tables import legible
from autoimb.data.dataset import Dataset
from autoimb.fitting import FitResult
from autoimb.planning import Plan
from autoimb.profiling.profile import Profile
from autoimb.search.budget import Budget
from autoimb.search.records import TrialRecord

__all__ = ["Progress"]

# Without a terminal, at most one line in so many seconds.
QUIET_SECONDS = 10.0
# What goes on.
READING, SEARCHING = "reading and profiling the table", "searching for the best {}"
COMPARING = "comparing the leading strategies, refitting the best"
WRITING = "writing down what was found"
AFTER_TRIALS = (COMPARING, WRITING)


class Progress:
    """Follow a fit.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live: Live | None = None
        self.begun, self.spoke = time.monotonic(), -math.inf
        self.doing = READING
        self.budget = Budget()
        self.standing: Standing | None = None

    def __enter__(self) -> Progress:
        """Begin."""
        if not self.quiet:
            self.live = start_live(self._view)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the view away."""
        if self.live is not None:
            self.live.stop()

    def started(self, dataset: Dataset, profile: Profile, plan: Plan) -> None:
        """Say what is searched."""
        self.budget, self.doing = plan.budget, SEARCHING.format(plan.metric.name)
        self.standing = Standing(plan.metric)
        positive = dataset.labels.positive
        interest = f", positive '{positive}'" if positive is not None else ""
        self._say(
            f"{dataset.name}: {profile.n_rows:,} rows, target '{dataset.target}'{interest}; "
            f"searching for the best {plan.metric.name} ({plan.resources(dataset.X.size)}), "
            "Ctrl-C ends it early"
        )
        for finding in profile.findings:
            if finding.severity == "critical":
                self._say(str(finding))

    def told(self, record: TrialRecord) -> None:
        """Count a trial."""
        assert self.standing is not None
        self.standing = self.standing.count(record)
        if self.live is None and time.monotonic() - self.spoke > QUIET_SECONDS:
            self.spoke = time.monotonic()
            self._say(tell_in_a_line(self.standing, self._left()))

    def trials_ended(self) -> None:
        """Say what follows the trials."""
        if self.doing != COMPARING:
            self.doing = COMPARING
            if self.live is None:
                self._say(self.doing)

    def finished(self, result: FitResult) -> None:
        """Say what is left to do: the outcome is printed by the command."""
        self.doing = WRITING

    def _say(self, text: str) -> None:
        if not self.quiet:
            print(legible(text), file=sys.stderr, flush=True)

    def _view(self) -> RenderableType:
        """Return what is to be seen at this moment."""
        if self.standing is None:
            return Text(f"{self.doing}  {tell_clock(time.monotonic() - self.begun)}")
        clock = Clock(self.doing, self._left(), self._share())
        return SearchView(clock, self.standing, self._rate())

    def _left(self) -> str:
        """Say how much of the budget is left, or how long it has taken where that tells nothing."""
        budget, n = self.budget, self.standing.n_trials if self.standing else 0
        clock = None if budget.seconds is None else tell_clock(budget.left())
        if budget.trials is None or self.doing in AFTER_TRIALS:
            return f"{clock} left" if clock else f"{tell_clock(budget.elapsed())} so far"
        trials = f"{max(budget.trials - n, 0)} trials left"
        return f"{clock} or {trials}" if clock else trials

    def _share(self) -> float:
        budget, n = self.budget, self.standing.n_trials if self.standing else 0
        by_time = budget.elapsed() / budget.seconds if budget.seconds else 0.0
        by_trials = n / budget.trials if budget.trials else 0.0
        return min(max(by_time, by_trials), 1.0)

    def _rate(self) -> float | None:
        """Return how many trials end in a minute, as long as any do."""
        if self.standing is None or not self.standing.n_trials or self.doing in AFTER_TRIALS:
            return None
        return 60.0 * self.standing.n_trials / max(self.budget.elapsed(), 1.0)
