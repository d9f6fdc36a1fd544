"""The self-test: the checks on a dataset, dealt, encoded, sampled and trained on as by a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from autoimb.data.dataset import Dataset
from autoimb.data.problem import read_problem
from autoimb.data.splitting import feasible_folds
from autoimb.evaluation.dealing import make_evaluator
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.fitting import FULL_PROFILE_SECONDS
from autoimb.leaks.canary import check_canary
from autoimb.leaks.chance import check_shuffled
from autoimb.leaks.report import Check, LeakReport
from autoimb.leaks.sampling import check_samplers
from autoimb.leaks.separation import check_units
from autoimb.leaks.setup import SecondsLeft, Setup
from autoimb.planning import Plan
from autoimb.profiling.describing import profile_dataset

__all__ = ["CHECKS", "check_leaks"]

# What constant predictions reach is known of it whatever the classes: equal shares.
METRIC = "balanced_accuracy"
# Each with the part of the time by whose end it begins nothing further.
CHECKS: Sequence[tuple[Callable[[Setup, SecondsLeft], Check], float]] = (
    (check_units, 0.1),
    (check_samplers, 0.25),
    (check_canary, 0.45),
    (check_shuffled, 1.0),
)


def check_leaks(
    data: str | Path | pd.DataFrame,
    target: str | None = None,
    *,
    positive: Any = None,
    drop: Sequence[str] = (),
    space: str | Path = "default",
    n_folds: int = 5,
    time_budget: float = 60.0,
    random_state: int = 0,
    groups: str | None = None,
    time: str | None = None,
) -> LeakReport:
    """Test on a table of one's own that a fit scores no row by a model that knew it.

    The table is split, encoded, resampled and trained on by the code of a fit. No row that is
    scored may equal one that is trained on, share its group, precede it in time, or be made by a
    sampler; what is trained may not depend on rows that are scored or, in time, on later ones; and
    shuffled labels may not be predicted better than chance. What a column gives away is for
    `profile` to find.

    Parameters
    ----------
    data : str, Path or DataFrame
    target : str, optional
    positive : label, optional
    drop : sequence of str
        Columns to leave out.
    space : str or Path
        Whose samplers and models are tested.
    n_folds : int
    time_budget : float
        Seconds after which nothing further is begun; the least that each check needs is done.
    random_state : int
    groups, time : str, optional
        As in `fit`: columns that say which rows belong together, and when each row was.

    Returns
    -------
    LeakReport

    Raises
    ------
    AutoImbError
        One line that says what is wrong and what to do.

    Examples
    --------
    >>> table = pd.DataFrame({"x": [*range(40)] * 2, "label": [*"aaab"] * 20})
    >>> found = check_leaks(table, "label", space="interpretable", n_folds=2, time_budget=1)
    >>> [check.name for check in found.checks]
    ['units_apart', 'no_sampled_row_scored', 'canary', 'shuffled_labels']
    >>> found.passed
    True
    """
    plan = Plan.checked(
        metric=METRIC, space=space, time_budget=time_budget, n_trials=None, n_folds=n_folds,
        n_jobs=1, seed=random_state, executor="in_process",
    )  # fmt: skip
    problem = read_problem(data, target, positive=positive, drop=drop, groups=groups, time=time)
    dataset = problem.dataset
    feasible_folds(dataset, n_folds)
    setup = _set_up(dataset, plan)
    checks = tuple(check(setup, partial(_seconds_left, plan, share)) for check, share in CHECKS)
    return LeakReport(
        dataset.name, len(dataset.y), setup.evaluator.n_folds, checks,
        round(plan.budget.elapsed(), 1), problem.notes,
    )  # fmt: skip


def _set_up(dataset: Dataset, plan: Plan) -> Setup:
    """Deal the rows as a fit does, and find out which strategies suit them."""
    plan = plan.suited_to(dataset)
    deal = partial(_deal, plan=plan, n_threads=plan.resources(dataset.X.size).n_threads)
    evaluator, level = deal(dataset)
    share = min((plan.budget.seconds or 0.0) / FULL_PROFILE_SECONDS, 1.0)
    is_plain = dataset.groups is None and dataset.times is None
    n_trained = None if is_plain else evaluator.fewest_trained()
    profile = profile_dataset(dataset, plan.seed, share=share)
    space = plan.space.restricted_to(profile.facts(evaluator.n_folds, n_trained))
    return Setup(dataset, evaluator, level, space, deal, plan.seed)


def _deal(dataset: Dataset, plan: Plan, n_threads: int) -> tuple[Evaluator, Level]:
    criterion = plan.suited_to(dataset).criterion
    evaluator, levels = make_evaluator(
        dataset, plan.n_folds, plan.metric.name, plan.seed, n_threads, criterion
    )
    return evaluator, replace(levels[0], repeat=0)


def _seconds_left(plan: Plan, share: float) -> float:
    return share * (plan.budget.seconds or 0.0) - plan.budget.elapsed()
