"""Measure what calibration makes of the probabilities of resampled and weighted models.

    python benchmarks/decision/probabilities.py --data FOLDER [--seeds 3] [--kept FOLDER]
    python benchmarks/decision/probabilities.py --data FOLDER --winners 30

FOLDER is as for holdout_f1.py. Models are cross-validated on 70 % of each data set, the calibrator
is chosen and fitted on the out-of-fold probabilities, and log loss is measured on the rest. The
first form compares fixed strategies with the same model on the data as they are; --kept keeps
scores for the next run. The second searches for so many seconds (average precision, no blend) and
compares the winner with the same model without its sampler and weight; where it has neither, they
are the same.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from kept_scores import Split, binary_splits, make_parser, score_all
from sklearn.metrics import average_precision_score

from autoimb.decision.calibrators import CALIBRATORS, choose_calibrator, fit_calibrator
from autoimb.fitting import fit_dataset
from autoimb.metrics import get_metric
from autoimb.planning import Plan
from autoimb.strategy.configuration import Choice, Configuration

LOG_LOSS = get_metric("log_loss")
NONE = Choice("none")


def log_loss(y: np.ndarray, proba: np.ndarray) -> float:
    return LOG_LOSS.evaluate(y, proba, y)


def compare_strategies(data: Path, seeds: int, kept: Path | None) -> None:
    """Print the log loss of fixed strategies, as they are and by each calibrator."""
    losses: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    chosen: dict[str, list[str]] = defaultdict(list)
    for one in score_all(data, seeds, kept):
        found = choose_calibrator(one.y, one.proba.astype(float), one.folds)
        chosen[one.strategy].append(found.name)
        each = [found, *(fit_calibrator(name, one.y, one.proba) for name in CALIBRATORS)]
        calibrated = [calibrate(one.proba_test) for calibrate in each]
        line = [log_loss(one.y_test, proba) for proba in calibrated]
        before_and_after = (one.proba_test, calibrated[0])
        ratios = [proba[:, 1].mean() / one.y_test.mean() for proba in before_and_after]
        losses[one.strategy][one.name].append([*line, *ratios])
    names = " | ".join(CALIBRATORS)
    print(f"| strategy | chosen | {names} | ratio before | ratio after | most often chosen |")
    print("|---" * (len(CALIBRATORS) + 5) + "|")
    for strategy, of_sets in losses.items():
        means = np.mean([np.mean(lines, axis=0) for lines in of_sets.values()], axis=0)
        often = max(set(chosen[strategy]), key=chosen[strategy].count)
        cells = " | ".join(f"{value:.4f}" for value in means[:-2])
        ratios = f"{means[-2]:.2f} | {means[-1]:.2f}"
        print(f"| {strategy} | {cells} | {ratios} | {often} |", flush=True)


def score_export(split: Split, configuration: Configuration) -> tuple[float, float]:
    """Return log loss and average precision of what would be exported, on the rows kept apart."""
    proba = split.evaluator.evaluate(configuration).proba.astype(float)
    calibrate = choose_calibrator(split.data.y, proba, split.evaluator.folds)
    predicted = split.train_averaged(configuration).predict_proba(split.X_test)
    precision = float(average_precision_score(split.y_test, predicted[:, 1]))
    return log_loss(split.y_test, calibrate(predicted)), precision


def compare_winners(data: Path, seeds: int, budget: float) -> None:
    """Print what the winner of a search scores, with and without sampler and weight."""
    print("| data set | split | winner | log loss | without | average precision | without |")
    print("|---|---|---|---|---|---|---|", flush=True)
    pairs = []
    for number, split in enumerate(binary_splits(data, seeds)):
        plan = Plan.checked(
            metric="average_precision", space="default", time_budget=budget, n_trials=None,
            n_folds=5, n_jobs=None, seed=number % seeds, blend=False,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            winner = fit_dataset(split.data, plan).configuration
        plain = replace(winner, sampler=NONE, weight=NONE)
        with_it = score_export(split, winner)
        without = with_it if winner.is_untouched else score_export(split, plain)
        pairs.append(list(zip(with_it, without, strict=True)))
        cells = " | ".join(f"{value:.4f}" for value in np.ravel(pairs[-1]))
        print(f"| {split.name} | {number % seeds} | {winner} | {cells} |", flush=True)
    cells = " | ".join(f"**{value:.4f}**" for value in np.mean(pairs, axis=0).ravel())
    print(f"| **mean** | | | {cells} |")


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--winners", type=float, help="seconds of each search")
    arguments = parser.parse_args()
    if arguments.winners is None:
        compare_strategies(arguments.data, arguments.seeds, arguments.kept)
    else:
        compare_winners(arguments.data, arguments.seeds, arguments.winners)


if __name__ == "__main__":
    main()
