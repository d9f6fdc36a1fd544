"""How long does it take to tell luck from worth?

    python benchmarks/honesty/speed.py

1,000 resamples of 200 trials and 20,000 rows, on two threads, for one trial that is exported and
for a blend of twelve. The median of several runs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.special import expit

from autoimb.data.splitting import Folds
from autoimb.decision.criteria import BestMetric
from autoimb.decision.scored import Scored
from autoimb.evaluation.optimism import Tried, estimate_optimism
from autoimb.metrics import get_metric

N_ROWS, N_TRIALS, N_STRATEGIES = 20_000, 200, 40


def make_trials(prevalence: float, n_chosen: int) -> Tried:
    """Make trials that differ in noise alone."""
    rng = np.random.default_rng(0)
    y = (rng.random(N_ROWS) < prevalence).astype(int)
    common = 1.5 * y + 0.9 * rng.normal(size=N_ROWS) - 3
    scores = [expit(common + 0.4 * rng.normal(size=N_ROWS)) for _ in range(N_TRIALS)]
    proba = [np.column_stack([1 - p, p]).astype(np.float32) for p in scores]
    return Tried(
        Scored(y, proba[0]), Folds(np.arange(N_ROWS) % 5), np.arange(N_ROWS), np.ones(N_ROWS),
        proba, [str(k % N_STRATEGIES) for k in range(N_TRIALS)], np.zeros(N_TRIALS),
        list(range(n_chosen)),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    print("metric             positives  exported  seconds  CPU seconds")
    for name, prevalence in (("average_precision", 0.02), ("f1", 0.05), ("log_loss", 0.05)):
        for n_chosen in (1, 12):
            tried, metric = make_trials(prevalence, n_chosen), get_metric(name)
            took = []
            for _ in range(args.repeats):
                begun = time.perf_counter(), time.process_time()
                estimate_optimism(tried, metric, BestMetric(name), n_threads=args.threads)
                took.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
            wall, cpu = np.median(took, axis=0)
            print(f"{name:<17}  {prevalence:>9.0%}  {n_chosen:>8}  {wall:>7.1f}  {cpu:>11.1f}")


if __name__ == "__main__":
    main()
