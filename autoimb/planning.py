"""What a fit is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from autoimb.data.dataset import Dataset
from autoimb.decision.costs import cost_column_of
from autoimb.decision.criteria import Criterion, Known
from autoimb.decision.stating import resolve_criterion
from autoimb.errors import UsageError
from autoimb.metrics import Metric, get_metric
from autoimb.search.budget import Budget
from autoimb.search.resources import ExecutorName, Resources, plan_resources
from autoimb.search.spawning import prepare_workers
from autoimb.strategy.search_space import SearchSpace, load_space

__all__ = ["Plan", "Preference"]

Preference = Literal["best", "simple"]

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Plan:
    """What was asked for, checked before any work is done.

    Attributes
    ----------
    metric : Metric
    space : SearchSpace
    budget : Budget
        Its clock runs.
    criterion : Criterion
        What the decision is asked for.
    n_folds : int
    n_jobs, n_threads : int or None
        Cores to use, and threads of one model.
    executor : {"processes", "in_process"}
        Where trials run.
    seed : int
    blend : bool
        Whether several strategies may be exported together.
    prefer : {"best", "simple"}
        Whether the best-scoring strategy is exported, or the plainest that cannot be told from it.
    """

    metric: Metric
    space: SearchSpace
    budget: Budget
    criterion: Criterion
    n_folds: int = 5
    n_jobs: int | None = None
    n_threads: int | None = None
    executor: ExecutorName = "processes"
    seed: int = 0
    blend: bool = True
    prefer: Preference = "best"

    @classmethod
    def checked(
        cls,
        *,
        metric: str,
        space: str | Path,
        time_budget: float | None,
        n_trials: int | None,
        n_folds: int,
        n_jobs: int | None,
        seed: int,
        n_threads: int | None = None,
        executor: ExecutorName = "processes",
        blend: bool = True,
        decision: str | Criterion | None = None,
        prefer: Preference = "best",
    ) -> Plan:
        """Look names up and check numbers.

        Raises
        ------
        UsageError
            One line that says what is wrong and what would be right.
        """
        budget = Budget(time_budget, n_trials)
        if n_folds < 2:
            raise UsageError(f"n_folds must be at least 2, but got {n_folds}.")
        if not 0 <= seed <= MAX_SEED:
            raise UsageError(f"random_state must be from 0 to {MAX_SEED}, but got {seed}.")
        if prefer not in get_args(Preference):
            raise UsageError(f"prefer must be 'best' or 'simple', but got {prefer!r}.")
        plan = cls(
            get_metric(metric), load_space(space), budget, resolve_criterion(decision, metric),
            n_folds, n_jobs, n_threads, executor, seed, blend, prefer,
        )  # fmt: skip
        plan.resources(0)
        return plan

    def suited_to(self, dataset: Dataset) -> Plan:
        """Take in what the decision has to know of the data.

        Raises
        ------
        UsageError
            If no rule could serve what was asked for.
        """
        names = tuple(map(str, dataset.labels.by_code))
        known = Known(names, dataset.class_counts, dataset.row_costs)
        return replace(self, criterion=self.criterion.suited(known))

    @property
    def cost_column(self) -> str | None:
        """The column of the table that says what missing each row costs."""
        return cost_column_of(self.criterion)

    def resources(self, n_cells: int) -> Resources:
        """Choose workers and threads for a table of so many cells."""
        return plan_resources(
            n_cells, n_jobs=self.n_jobs, n_threads=self.n_threads, executor=self.executor
        )

    def prepare(self) -> None:
        """Have the processes that trials run in started, beside whatever comes before."""
        if self.resources(0).executor == "processes":
            prepare_workers()

    def spent(self, seconds: float) -> Plan:
        """Count seconds that an earlier process has spent."""
        return replace(self, budget=self.budget.less(seconds))
