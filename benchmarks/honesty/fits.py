"""Small fits in processes of their own, as many at once as there are cores."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["fit_quickly", "make_parser", "run_all"]

QUICK = Path(__file__).with_name("quick.toml")
T = TypeVar("T")


def fit_quickly(X: Any, y: Any, metric: str, n_trials: int, seed: int) -> Any:
    """Fit by a count of trials, so that a busy machine changes nothing."""
    from autoimb import AutoImbClassifier

    search = AutoImbClassifier(
        metric=metric, time_budget=None, n_trials=n_trials, space=QUICK, executor="in_process",
        n_jobs=1, n_threads=1, tracking_uri="off", random_state=seed,
    )  # fmt: skip
    return search.fit(X, y)


def make_parser(text: str | None, n: int, n_trials: int = 16) -> argparse.ArgumentParser:
    """Make a parser of what scripts of many small fits are called with."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=n)
    parser.add_argument("--trials", type=int, default=n_trials)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser


def run_all(work: Callable[[int], T], numbers: Iterable[int], jobs: int) -> Iterator[T]:
    """Yield what work makes of each number, as it comes, in order."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, numbers)
