"""Does the interval of a test on untouched rows hold the true score of the model?

    python benchmarks/honesty/untouched.py --draws 200

The model is given: the true log-odds, and a threshold. Each draw are rows to test it on; a million
further rows tell what it is worth. Beside it, what resampling each class by itself would cover.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from scipy.special import expit

from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import draw_resamples, score_resamples
from autoimb.evaluation.estimate import bound
from autoimb.metrics import METRICS

NAMES = ("average_precision", "f1")
SIZES, N_FURTHER, N_RESAMPLES = (150, 500, 1500), 1_000_000, 1000
THRESHOLD = 0.25


def draw(n: int, rng: np.random.Generator) -> tuple[Scored, np.ndarray]:
    p = expit(1.8 * rng.normal(size=n) - 3)
    scored = Scored((rng.random(n) < p).astype(int), np.column_stack([1 - p, p]))
    return scored, (p > THRESHOLD).astype(int)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=200)
    n_draws, rng = parser.parse_args().draws, np.random.default_rng(0)
    all_rows, codes = draw(N_FURTHER, rng)
    truth = {name: METRICS[name].evaluate(all_rows.y, all_rows.proba, codes) for name in NAMES}
    print(f"{100 * all_rows.y.mean():.1f} % positives, {n_draws} draws, covered:")
    print(f"{'rows':>5}  {'metric':<17}  from all rows  by class")
    for n in SIZES:
        covered: Counter[tuple[str, bool]] = Counter()
        for _ in range(n_draws):
            scored, codes = draw(n, rng)
            for by_class in (False, True):
                strata = scored.y if by_class else None
                drawn = draw_resamples(strata, np.arange(n), N_RESAMPLES, rng)
                for name in NAMES:
                    metric = METRICS[name]
                    values = score_resamples(metric, scored, scored.proba, codes, drawn)
                    found = bound(metric.evaluate(scored.y, scored.proba, codes), values)
                    covered[name, by_class] += found.low <= truth[name] <= found.high
        for name in NAMES:
            each = [100 * covered[name, by_class] / n_draws for by_class in (False, True)]
            print(f"{n:>5}  {name:<17}  {each[0]:>11.1f} %  {each[1]:>6.1f} %")


if __name__ == "__main__":
    main()
