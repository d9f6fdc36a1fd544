"""Measure how long explaining a fit takes, and what it finds.

    python benchmarks/explaining.py --data FOLDER [--budget 10 | --trials 4] [NAME ...]

FOLDER is as for holdout_f1.py, with files of several classes as well; NAME is one of its data sets.
Each is fitted once. `fit` is all that `fit_dataset` takes, `explaining` its last part; `rows`
those that are predicted with columns shuffled. Of the columns that are shuffled those whose
interval lies above 0 are counted, and the first three are shown with the drop of the metric; of
SHAP values the first three with the mean of their size.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any
from unittest import mock

from autoimb import fitting
from autoimb.data.problem import read_problem
from autoimb.explaining.explanation import Explanation, explain
from autoimb.fitting import FitResult, fit_dataset
from autoimb.planning import Plan

SHOWN = 3


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budget", type=float, help="seconds of each fit")
    parser.add_argument("--trials", type=int, help="of each fit; 4 if there is no budget either")
    arguments = parser.parse_args()
    if arguments.budget is None and arguments.trials is None:
        arguments.trials = 4
    return arguments


def fit(path: Path, target: str, budget: float | None, trials: int | None) -> tuple[Any, ...]:
    """Return the outcome of a fit, and the seconds that explaining it took and was given."""
    told: list[float] = []

    def clocked(subject: Any, executor: Any, seconds: float | None) -> Explanation:
        begun = time.perf_counter()
        try:
            return explain(subject, executor, seconds)
        finally:
            told.extend([time.perf_counter() - begun, float("nan") if seconds is None else seconds])

    plan = Plan.checked(
        metric="average_precision", space="default", time_budget=budget, n_trials=trials,
        n_folds=5, n_jobs=None, seed=0,
    )  # fmt: skip
    plan.prepare()
    with mock.patch.object(fitting, "explain", clocked):
        return fit_dataset(read_problem(path, target).dataset, plan), *told


def show(found: Explanation) -> str:
    """Show what was found of columns as cells of a table."""
    if found.importance is None:
        return f"- | - | - | {' '.join(found.notes)} | -"
    columns = found.importance.columns
    some = "; ".join(f"{one.column} {one.drop}" for one in columns[:SHOWN])
    n_above = sum(one.drop.low > 0 for one in columns)
    shap = () if found.contributions is None else found.contributions.columns[:SHOWN]
    added = "; ".join(f"{one.column} {one.mean:.2f}" for one in shap) or "-"
    n_all = len(columns) + len(found.importance.left_out)
    sizes = f"{found.importance.n_rows:,} x {columns[-1].n_repeats}"
    return f"{len(columns)} of {n_all} | {n_above} | {sizes} | {some} | {added}"


def main() -> None:
    arguments = parse_arguments()
    print(
        "| data set | rows | model | fit s | explaining s | given s | columns | above 0 | "
        "rows x repeats | importance | SHAP values |"
    )
    print("|---" * 11 + "|")
    for entry in json.loads((arguments.data / "index.json").read_text()):
        if arguments.names and entry["name"] not in arguments.names:
            continue
        path = arguments.data / entry["file"]
        result, took, given = fit(path, entry["target"], arguments.budget, arguments.trials)
        assert isinstance(result, FitResult)
        found = result.explanation
        shown = f"failed: {result.notes[-1]}" if found is None else show(found)
        print(
            f"| {entry['name']} | {entry['n_rows']:,} | {result.exported.members[0].configuration} "
            f"| {result.seconds:.1f} | {took:.2f} | {given:.2f} | {shown} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
