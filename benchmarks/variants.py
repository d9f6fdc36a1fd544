"""Run every oversampler of smote_variants on 500 rows: which ones work, and how long they take.

    python benchmarks/variants.py [--seconds 60]

Needs the package (`pip install 'autoimb[variants]'`). One that does not end in time is ended.
"""

from __future__ import annotations

import argparse
import time
import warnings
from concurrent.futures import TimeoutError

import numpy as np
import pebble
from sklearn.datasets import make_classification
from smote_variants import get_all_oversamplers

from autoimb.errors import one_line
from autoimb.strategy.samplers.variants import SmoteVariant


def run(name: str) -> tuple[str, float]:
    """Oversample twice with one seed; say what came of it, and the seconds of one time."""
    X, y = make_classification(
        500, 8, n_informative=5, n_redundant=0, weights=[0.9], flip_y=0.03, random_state=0
    )
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            sampler = SmoteVariant(name, sampling_strategy=0.5, random_state=0)
            first, second = sampler.fit_resample(X, y), sampler.fit_resample(X, y)
        except ValueError as error:
            return one_line(error.__cause__ or error), time.perf_counter() - begun
    seconds = (time.perf_counter() - begun) / 2
    if not all(map(np.array_equal, first, second)):
        return "works, but one seed gives different rows", seconds
    return "works", seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each, of two runs")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    names = sorted((c.__name__ for c in get_all_oversamplers()), key=str.lower)
    print("| name | outcome | seconds |\n|---|---|---|")
    with pebble.ProcessPool(arguments.jobs) as pool:
        futures = {n: pool.schedule(run, args=[n], timeout=arguments.seconds) for n in names}
        for name, future in futures.items():
            try:
                outcome, seconds = future.result()
            except TimeoutError:
                outcome, seconds = "takes too long", arguments.seconds / 2
            print(f"| `{name}` | {outcome} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
