"""Compare ways of combining the strategies that a search found, on held-out rows.

    python benchmarks/blending.py --data FOLDER --seeds 2

FOLDER is as for holdout_f1.py. One search for F1 on 70 % of each data set, as long as `--budget`
says; each strategy that it kept is trained on all of them and, where the rarest class is small, on
those of each fold. What combines them is fitted on out-of-fold predictions, the threshold on
cross-fitted ones, and both decide the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from held_out import N_FOLDS, Split, binary_splits, parse_arguments
from joblib import Parallel, delayed
from scipy.special import expit
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, f1_score, log_loss

from autoimb.decision.calibration import LogisticCurve, log_odds
from autoimb.decision.criteria import BestMetric
from autoimb.decision.scored import Scored
from autoimb.decision.stacking import LogisticStack
from autoimb.evaluation.levels import has_few
from autoimb.profiling.describing import profile_dataset
from autoimb.refitting import BLEND_SIZE
from autoimb.search.blend import line_up, pool
from autoimb.search.budget import Budget
from autoimb.search.executors import open_executor
from autoimb.search.records import Candidate, SearchResult
from autoimb.search.resources import plan_resources
from autoimb.search.study import search
from autoimb.strategy.search_space import load_space

SCORES = ("F1", "AP", "log loss")
# Steps of a greedy selection, selections of half of the models each, and positives for which the
# selected count as much as the mean of all.
N_STEPS, N_BAGS, N_SHRUNK = 20, 8, 150

Combined = Callable[[np.ndarray], np.ndarray]
Way = Callable[[np.ndarray, np.ndarray], Combined]


def calibrate(y: np.ndarray, odds: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a logistic curve to each column of log-odds."""
    curves = [LogisticCurve.fit(y, expit(column)) for column in odds.T]
    slopes, shifts = np.array([[c.slope for c in curves], [c.intercept for c in curves]])
    return lambda new: new * slopes + shifts


def weigh(y: np.ndarray, odds: np.ndarray, choose: Way | None = None) -> Combined:
    """Take the mean of calibrated log-odds, or what `choose` weighs them by; calibrate it."""
    calibrated = calibrate(y, odds)
    known = calibrated(odds)
    weights = choose(y, known) if choose else np.full(odds.shape[1], 1 / odds.shape[1])
    curve = calibrate(y, (known @ weights)[:, None])
    return lambda new: expit(curve((calibrated(new) @ weights)[:, None])[:, 0])


def select_greedily(y: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Add the model that lowers log loss most, again and again (Caruana et al. 2004)."""
    total, counts = np.zeros(len(y)), np.zeros(odds.shape[1])
    for step in range(1, N_STEPS + 1):
        losses = [log_loss(y, expit((total + column) / step)) for column in odds.T]
        best = int(np.argmin(losses))
        total += odds[:, best]
        counts[best] += 1
    return counts / N_STEPS


def select_shrunk(y: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Shrink the greedy selection towards the mean, the more so the fewer positives there are."""
    share = y.sum() / (y.sum() + N_SHRUNK)
    return share * select_greedily(y, odds) + (1 - share) / odds.shape[1]


def select_bagged(y: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Average greedy selections from random halves of the models."""
    rng, n = np.random.default_rng(0), odds.shape[1]
    weights = np.zeros(n)
    for _ in range(N_BAGS):
        half = rng.choice(n, max(n // 2, 1), replace=False)
        weights[half] += select_greedily(y, odds[:, half]) / N_BAGS
    return weights


WAYS: dict[str, Way] = {
    "stacker": LogisticStack.fit,
    "mean": weigh,
    "greedy, shrunk": partial(weigh, choose=select_shrunk),
    "greedy, bagged": partial(weigh, choose=select_bagged),
}


@dataclass(frozen=True)
class Views:
    """What several strategies say of rows out-of-fold and of held-out rows, as log-odds."""

    y: np.ndarray
    odds: np.ndarray
    folds: np.ndarray
    y_test: np.ndarray
    odds_test: np.ndarray

    def of(self, places: Sequence[int]) -> Views:
        """Take some of the strategies."""
        return replace(self, odds=self.odds[:, places], odds_test=self.odds_test[:, places])


def choose_members(candidates: Sequence[Candidate]) -> Iterator[tuple[str, list[int]]]:
    """Yield what may be combined, by name: places of candidates."""
    places = {one.record.number: place for place, one in enumerate(candidates)}
    yield "", [places[one.record.number] for one in line_up(candidates)[:BLEND_SIZE]]
    yield " of the best by F1", list(range(min(len(candidates), BLEND_SIZE)))
    yield " of all", list(range(len(candidates)))


def predict_all(split: Split, candidates: Sequence[Candidate]) -> np.ndarray:
    """Return the log-odds that each strategy gives held-out rows."""
    few = has_few(int(np.bincount(split.data.y).min()))

    def predict(one: Candidate) -> np.ndarray:
        train = split.train_averaged if few else split.train
        proba = train(one.record.configuration).predict_proba(split.X_test)
        return np.asarray(log_odds(proba)[:, 1])

    return np.column_stack(Parallel(n_jobs=-1)(delayed(predict)(one) for one in candidates))


def find(split: Split, seconds: float) -> SearchResult:
    """Search for as many seconds."""
    space = load_space("default").restricted_to(profile_dataset(split.data).facts(N_FOLDS))
    with open_executor(split.evaluator, plan_resources(split.data.X.size)) as executor:
        return search(executor, split.evaluator, space, Budget(seconds))


def measure(split: Split, seconds: float) -> dict[str, tuple[float, float, float]]:
    """Return the scores of each way."""
    found = find(split, seconds)
    n_repeats = min(len(one.repeats) for one in found.candidates)
    each = [pool((one.evaluation, *one.repeats[:n_repeats])) for one in found.candidates]
    rows, folds = split.evaluator.scored(found.level)
    odds = np.column_stack([log_odds(one)[:, 1] for one in each])
    odds_test = predict_all(split, found.candidates)
    views = Views(split.data.y[rows], odds, folds.number, split.y_test, odds_test)
    scores = {"best alone": score(weigh, views.of([0]))}
    for members, places in choose_members(found.candidates):
        for name, way in WAYS.items():
            scores[name + members] = score(way, views.of(places))
    return scores


def score(way: Way, views: Views) -> tuple[float, float, float]:
    """Combine, decide by cross-fitted scores, and score held-out rows."""
    crossed = np.empty(len(views.y))
    for fold in np.unique(views.folds):
        inside = views.folds == fold
        crossed[inside] = way(views.y[~inside], views.odds[~inside])(views.odds[inside])
    rule = BestMetric("f1").solve(Scored(views.y, np.column_stack([1 - crossed, crossed])))
    proba = way(views.y, views.odds)(views.odds_test)
    decided = rule.decide(np.column_stack([1 - proba, proba]))
    return (
        float(f1_score(views.y_test, decided, zero_division=0)),
        float(average_precision_score(views.y_test, proba)),
        float(log_loss(views.y_test, proba)),
    )


def main() -> None:
    arguments = parse_arguments(__doc__, budget=30.0)
    measured = []
    for split in binary_splits(arguments.data, arguments.seeds):
        measured.append(measure(split, arguments.budget))
        print(split.name, split.evaluator.seed, file=sys.stderr, flush=True)
    names = list(measured[0])
    table = np.array([[one[name] for name in names] for one in measured])
    signed = table * np.array([-1.0, -1.0, 1.0])
    ranks = rankdata(signed, axis=1).mean(axis=0)
    print(f"| {len(table)} searches |", " | ".join(f"{one} | rank" for one in SCORES), "|")
    print("|---" * (1 + 2 * len(SCORES)) + "|")
    for k, name in enumerate(names):
        cells = (f"{table[:, k, j].mean():.4f} | {ranks[k, j]:.1f}" for j in range(len(SCORES)))
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
