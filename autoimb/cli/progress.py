"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from autoimb.data.dataset import Dataset
from autoimb.fitting import FitResult
from autoimb.planning import Plan
from autoimb.profiling.profile import Profile
from autoimb.search.records import TrialRecord

__all__ = ["Progress"]

# Without a terminal, at most one line in so many seconds.
QUIET_SECONDS = 10.0


class Progress:
    """Follow a fit.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, highlight=False)
        self.bar: Bar | None = None
        self.task = TaskID(0)
        self.done = self.failed = 0
        self.best: float | None = None
        self.spoke = 0.0

    def __enter__(self) -> Progress:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()

    def started(self, dataset: Dataset, profile: Profile, plan: Plan) -> None:
        """Say what is searched and start the bar."""
        self.plan = plan
        if self.quiet:
            return
        positive = dataset.labels.positive
        interest = f", positive '{positive}'" if positive is not None else ""
        print(
            f"{dataset.name}: {profile.n_rows:,} rows, target '{dataset.target}'{interest}; "
            f"searching for the best {plan.metric.name} ({plan.resources(dataset.X.size)}), "
            "Ctrl-C ends it early",
            file=sys.stderr,
        )
        for finding in profile.findings:
            if finding.severity == "critical":
                print(finding, file=sys.stderr)
        if not self.console.is_terminal:
            return
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[left]}"),
            console=self.console,
            transient=True,
        )
        self.task = self.bar.add_task("searching", total=1.0, left="")
        self.bar.start()

    def told(self, record: TrialRecord) -> None:
        """Count a trial and move on."""
        self.done += 1
        self.failed += record.state == "failed"
        metric = self.plan.metric
        if record.scores:
            value = record.scores[metric.name].value
            if self.best is None or metric.utility(value) > metric.utility(self.best):
                self.best = value
        if not self.quiet:
            self._show()

    def finished(self, result: FitResult) -> None:
        """Nothing more: the outcome is printed by the command."""

    def _show(self) -> None:
        best = "" if self.best is None else f", best {self.plan.metric.name} {self.best:.3f}"
        failed = f" ({self.failed} failed)" if self.failed else ""
        text = f"{self.done} trial{'s' * (self.done != 1)}{failed}{best}"
        if self.bar is not None:
            self.bar.update(self.task, description=text, completed=self._share(), left=self._left())
        elif time.monotonic() - self.spoke > QUIET_SECONDS:
            self.spoke = time.monotonic()
            print(f"{text}, {self._left()}", file=sys.stderr, flush=True)

    def _share(self) -> float:
        budget = self.plan.budget
        by_time = budget.elapsed() / budget.seconds if budget.seconds else 0.0
        by_trials = self.done / budget.trials if budget.trials else 0.0
        return min(max(by_time, by_trials), 1.0)

    def _left(self) -> str:
        budget = self.plan.budget
        if budget.seconds is None:
            return f"{(budget.trials or 0) - self.done} trials left"
        return f"{max(budget.left(), 0):.0f} s left"
