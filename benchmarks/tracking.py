"""What writing a fit to MLflow costs: for each trial, and at its end.

    python benchmarks/tracking.py 200            # an SQLite file, as by default
    python benchmarks/tracking.py 200 http://127.0.0.1:5000

A small fit gives the records; each is written again under other numbers, as one thread does it
beside a search. Times are those of this process: of a server only the waiting counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoimb.data.problem import read_problem
from autoimb.fitting import FitResult, fit_dataset
from autoimb.planning import Plan
from autoimb.tracking.store import ENVIRONMENT, EXPERIMENT
from autoimb.tracking.writer import RunWriter

DATA = Path(__file__).parents[1] / "examples" / "data" / "mammography.csv"


class Clock:
    """Prints what steps take: seconds on the wall, and of this process."""

    def time(self, what: str, do: Callable[[], Any], n: int = 1) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        found = do()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{what:<34}{1000 * wall / n:>9.1f} ms{1000 * cpu / n:>9.1f} ms")
        return found


def write(writer: RunWriter, problem: Any, plan: Plan, result: FitResult, n_trials: int) -> None:
    now, clock, records = round(1000 * time.time()), Clock(), result.search.records
    numbered = [replace(records[i % len(records)], number=i) for i in range(n_trials)]

    def add_trials() -> None:
        for i, record in enumerate(numbered):
            writer.add_trial(record, now=now + i)

    print(f"{'':<34}{'wall':>12}{'CPU':>12}")
    clock.time("import of MLflow", lambda: __import__("mlflow"))
    start = lambda: writer.start(problem.dataset, result.profile, plan, now=now)  # noqa: E731
    clock.time("store and parent run", start)
    clock.time("profile, and what the end needs", lambda: writer.prepare(result.profile, now=now))
    clock.time(f"a trial, of {n_trials}", add_trials, n_trials)
    clock.time("the end: findings and model", lambda: writer.finish(result, now=now + n_trials))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n_trials", type=int, nargs="?", default=200)
    parser.add_argument("tracking_uri", nargs="?", help="by default a file that is then removed")
    asked = parser.parse_args()
    problem = read_problem(DATA)
    plan = Plan.checked(
        metric="average_precision", space="default", time_budget=None, n_trials=6, n_folds=3,
        n_jobs=1, seed=0, executor="in_process",
    )  # fmt: skip
    plan.prepare()
    result = fit_dataset(problem.dataset, plan)
    with tempfile.TemporaryDirectory() as folder:
        uri = asked.tracking_uri or f"sqlite:///{folder}/mlflow.db"
        write(RunWriter(uri, EXPERIMENT, None, {}), problem, plan, result, asked.n_trials)


if __name__ == "__main__":
    import os

    os.environ.update(ENVIRONMENT)
    main()
