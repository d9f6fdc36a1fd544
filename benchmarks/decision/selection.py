"""Measure what it is worth to ask a lead of strategies with a sampler or a weight.

    python benchmarks/decision/selection.py --data FOLDER [--seeds 3] [--kept FOLDER]

FOLDER is as for holdout_f1.py, --kept as for regret.py. Of the ten strategies of kept_scores.py the
one with the best mean average precision over folds is chosen, where those that resample or weigh
have to be ahead by a multiple of the standard error of a difference. Printed is what that comes to
on the rows kept apart: average precision, log loss as calibrated for export, log loss of the same
model without sampler and weight, and how often a strategy with one was chosen.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from kept_scores import Scores, make_parser, score_all
from sklearn.metrics import average_precision_score, log_loss

from autoimb.decision.calibrators import choose_calibrator
from autoimb.evaluation.futility import estimate_noise
from autoimb.search.contest import TIE

LEADS = (0.0, 0.5, 1.0, 1.5, 2.0)


def plain_of(strategy: str) -> str:
    return strategy.split(" + ")[0]


def score(one: Scores) -> tuple[list[float], float, float]:
    """Return average precision by fold and on the rows kept apart, and log loss there."""
    folds = [one.folds == fold for fold in np.unique(one.folds)]
    of_folds = [average_precision_score(one.y[rows], one.proba[rows, 1]) for rows in folds]
    calibrate = choose_calibrator(one.y, one.proba.astype(float), one.folds)
    loss = log_loss(one.y_test, calibrate(one.proba_test), labels=[0, 1])
    return of_folds, average_precision_score(one.y_test, one.proba_test[:, 1]), float(loss)


def choose(found: dict[str, tuple[list[float], float, float]], lead: float) -> str:
    """Choose as `Contest.merit` does, by so many standard errors and two hundredths at least."""
    noise = estimate_noise([of_folds for of_folds, _, _ in found.values()])

    def merit(strategy: str) -> float:
        of_folds = found[strategy][0]
        value = float(np.mean(of_folds))
        if strategy == plain_of(strategy) or not lead:
            return value
        return value - max(TIE * value, lead * noise / np.sqrt(len(of_folds)))

    return max(found, key=merit)


def main() -> None:
    arguments = make_parser(__doc__).parse_args()
    splits: dict[tuple[str, int], dict[str, tuple[list[float], float, float]]] = defaultdict(dict)
    for one in score_all(arguments.data, arguments.seeds, arguments.kept):
        splits[one.name, one.seed][one.strategy] = score(one)
    print("| lead in standard errors | average precision | log loss | without | resampled |")
    print("|---|---|---|---|---|")
    for lead in LEADS:
        of_sets = defaultdict(list)
        for (name, _), found in splits.items():
            chosen = choose(found, lead)
            plain = plain_of(chosen)
            of_sets[name].append((*found[chosen][1:], found[plain][2], chosen != plain))
        ap, loss, alone, resampled = np.mean([np.mean(v, axis=0) for v in of_sets.values()], axis=0)
        print(f"| {lead:g} | {ap:.4f} | {loss:.4f} | {alone:.4f} | {resampled:.0%} |", flush=True)


if __name__ == "__main__":
    main()
