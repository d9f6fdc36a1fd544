"""Whether anything of the rows to score reaches encoders, samplers, weights or models."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from autoimb.errors import one_line
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.tasks import Task, Training
from autoimb.leaks.report import Check, counted, shown
from autoimb.leaks.setup import SecondsLeft, Setup, spoil
from autoimb.leaks.strategies import different
from autoimb.strategy.configuration import Configuration

__all__ = ["check_canary"]

NAME = "canary"
ADVICE = (
    "Something that is trained reads rows that it must not see: look at the classes of the "
    "search space, and report it if they are autoimb's own."
)

Outcome = Literal["same", "changed", "unsteady"]
Predictions = NDArray[np.float32]


def check_canary(setup: Setup, seconds_left: SecondsLeft) -> Check:
    """Spoil the rows to score, train again, and compare the predictions for the rows as they were.

    The first fold is always tested, others as far as the time goes.
    """
    strategies = different(setup.space)
    found: defaultdict[Outcome, list[str]] = defaultdict(list)
    before, failed = _evaluate(setup, strategies)
    n_tests = n_rows = 0
    for fold in range(setup.level.n_folds):
        if fold and seconds_left() <= 0:
            break
        spoiled = spoil(setup.evaluator, fold, setup.seed)
        for strategy in strategies:
            if str(strategy) not in before or (fold and seconds_left() <= 0):
                continue
            proba = before[str(strategy)]
            found[_outcome(setup, spoiled, strategy, fold, proba)].append(str(strategy))
            n_tests += 1
        n_rows += len(setup.evaluator.scored_rows(fold))
    return _conclude(found, failed, n_tests, n_rows)


def _evaluate(
    setup: Setup, strategies: list[Configuration]
) -> tuple[dict[str, Predictions], list[str]]:
    """Predict out of fold as a fit does; also tell which strategies cannot be trained."""
    before, failed = {}, []
    for strategy in strategies:
        try:
            proba = setup.evaluator.evaluate(Task(strategy, setup.level)).proba
        except Exception as error:
            failed.append(f"{strategy} ({one_line(error)})")
        else:
            before[str(strategy)] = proba
    return before, failed


def _outcome(
    setup: Setup, spoiled: Evaluator, strategy: Configuration, fold: int, before: Predictions
) -> Outcome:
    """Tell whether predictions are those of before, where they would be without any change."""
    evaluator = setup.evaluator
    expected = before[evaluator.scored_rows(fold)]
    try:
        if np.array_equal(_predict(setup, spoiled, strategy, fold), expected):
            return "same"
    except Exception:
        # What fails over rows that it is not to see has seen them.
        return "changed"
    again = _predict(setup, evaluator, strategy, fold)
    return "changed" if np.array_equal(again, expected) else "unsteady"


def _predict(
    setup: Setup, trained_on: Evaluator, strategy: Configuration, fold: int
) -> Predictions:
    """Predict the rows that a fold scores, as they are, by what other rows train."""
    pipeline = trained_on.train(Training(strategy, fold, setup.level.max_rows))
    rows = setup.evaluator.scored_rows(fold)
    return pipeline.predict_proba(setup.evaluator.X[rows]).astype(np.float32)


def _conclude(
    found: defaultdict[Outcome, list[str]], failed: list[str], n_tests: int, n_rows: int
) -> Check:
    if found["changed"]:
        names = dict.fromkeys(found["changed"])
        finding = (
            f"{shown(names)}: {counted(len(found['changed']), 'training')} of {n_tests} predict "
            "otherwise once features and labels of the rows to score are replaced."
        )
        return Check(NAME, "failed", finding, ADVICE)
    unsteady = [f"{name} (differs each time)" for name in dict.fromkeys(found["unsteady"])]
    left_out = f" Not tested: {shown([*failed, *unsteady])}." if failed or unsteady else ""
    if not found["same"]:
        return Check(NAME, "skipped", f"No strategy could be compared.{left_out}")
    names = dict.fromkeys(found["same"])
    finding = (
        f"{counted(len(found['same']), 'training')} of {counted(len(names), 'strategy')} with "
        f"garbage in place of the rows to score predict these {n_rows:,} as before, bit for bit."
    ).replace("strategys", "strategies")
    return Check(NAME, "passed", finding + left_out)
