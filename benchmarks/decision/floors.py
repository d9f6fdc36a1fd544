"""Count in how many repeats a promised floor holds on rows that nothing has seen.

    python benchmarks/decision/floors.py [--data FOLDER] [--models logistic] [--repeats 200]

Each repeat draws rows, cross-validates a model on them, calibrates and solves the floor on the
out-of-fold probabilities, trains the averaged model that would be exported, and decides all other
rows. "scores" draws calibrated scores of two overlapping classes, with no model at all; "gauss"
draws a table (50,000 further rows); data sets of FOLDER (as for
holdout_f1.py) that have 10,000 rows and more are drawn from without replacement, what is left is
decided. Where the rows do not support a floor, autoimb says so: those repeats promise nothing.
"best out of fold" takes the threshold that reaches the floor there, as is usually done.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from held_out import N_FOLDS, Split

from autoimb.data.dataset import make_dataset
from autoimb.data.splitting import assign_folds
from autoimb.decision.calibrators import choose_calibrator
from autoimb.decision.criteria import as_one
from autoimb.decision.deciding import find_shortfall
from autoimb.decision.floors import Floor, rate
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_thresholds
from autoimb.evaluation.engine import Evaluator
from autoimb.metrics import count
from autoimb.strategy.search_space import load_space

FLOORS = {
    "scores": (Floor("precision", 0.5), Floor("recall", 0.8), Floor("specificity", 0.9)),
    "gauss": (Floor("precision", 0.5), Floor("recall", 0.8), Floor("specificity", 0.9)),
    "mammography": (Floor("precision", 0.6), Floor("recall", 0.6), Floor("specificity", 0.99)),
    "bank_marketing": (Floor("precision", 0.5), Floor("recall", 0.8), Floor("specificity", 0.9)),
    "online_shoppers": (Floor("precision", 0.6), Floor("recall", 0.8), Floor("specificity", 0.9)),
    "taiwan_credit": (Floor("precision", 0.6), Floor("recall", 0.8), Floor("specificity", 0.9)),
}
MODELS = ("lightgbm", "logistic")
WANTED = {"precision": "recall", "recall": "precision", "specificity": "recall"}
# Out-of-fold rows, and the probabilities and classes of all others.
Drawn = tuple[Scored, np.ndarray, np.ndarray]


def draw_scores(n: int, seed: int) -> Drawn:
    """Draw calibrated probabilities of two classes, one row in ten positive."""
    rng = np.random.default_rng(seed)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        y = (rng.random(n) < 0.1).astype(int)
        x = rng.normal(1.8 * y, 1.0)
        p = 1 / (1 + np.exp(-(np.log(0.1 / 0.9) + 1.8 * x - 1.8**2 / 2)))
        return y, np.column_stack([1 - p, p])

    (y, proba), (y_rest, proba_rest) = draw(n), draw(200_000)
    return Scored(y, proba), y_rest, proba_rest


def draw_table(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw numbers whose class follows a bent surface."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    odds = -3.2 + 1.2 * X[:, 0] + X[:, 1] * X[:, 2] + np.abs(X[:, 3]) - 0.5 * X[:, 4]
    labels = np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no")
    return pd.DataFrame(X).add_prefix("x"), labels


def train(table: pd.DataFrame, labels: np.ndarray, n: int, model: str, seed: int) -> Drawn:
    """Cross-validate on `n` rows, predict all others."""
    order = np.random.default_rng(seed).permutation(len(table))
    rows, rest = order[:n], order[n:]
    data = make_dataset(table.iloc[rows].reset_index(drop=True), labels[rows])
    folds = assign_folds(data, N_FOLDS, seed)
    evaluator = Evaluator.on(data, folds, "f1", seed)
    X_rest, y_rest = data.schema.to_matrix(table.iloc[rest]), data.labels.encode(labels[rest])
    split = Split(model, data, evaluator, X_rest, y_rest)
    strategy = load_space("default").default(model=model)
    proba = evaluator.evaluate(strategy).proba.astype(float)
    calibrate = choose_calibrator(data.y, proba, folds)
    exported = split.train_averaged(strategy)
    return Scored(data.y, calibrate(proba)), y_rest, calibrate(exported.predict_proba(X_rest))


def draw_and_train(seed: int, n: int, model: str) -> Drawn:
    """Draw a table and cross-validate on `n` of its rows."""
    return train(*draw_table(n + 50_000, seed), n, model, seed)


def sources(
    data: Path | None, n: int, models: Sequence[str]
) -> Iterator[tuple[str, str, Callable[[int], Drawn]]]:
    """Yield what is drawn from: its name, the model, and how."""
    yield "scores", "none", lambda seed: draw_scores(n, seed)
    for model in models:
        yield (
            "gauss",
            model,
            lambda seed, m=model: train(*draw_table(n + 50_000, seed), n, m, seed),
        )
    for entry in [] if data is None else json.loads((data / "index.json").read_text()):
        if entry["name"] not in FLOORS:
            continue
        table = pd.read_csv(data / entry["file"])
        labels = table.pop(entry["target"]).astype(str).to_numpy()
        for model in models:
            yield entry["name"], model, partial(train, table, labels, n, model)


def sharp(floor: Floor, rows: Scored) -> Threshold:
    """Take the threshold that serves best among those that reach the floor out of fold."""
    found = sweep_thresholds(rows.y, rows.proba[:, 1])
    reached = rate(found.counts, floor.measure) >= floor.value
    wanted = np.where(reached, rate(found.counts, WANTED[floor.measure]), -1.0)
    return Threshold(float(found.thresholds[wanted.argmax()]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--models", nargs="+", default=MODELS, help="of default.toml")
    arguments = parser.parse_args()
    print("| rows of | model | floor | promised | held of those | mean of the other rate "
          "| best out of fold held | mean of the other rate |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for name, model, draw in sources(arguments.data, arguments.rows, arguments.models):
        found: dict[Floor, list[tuple[float, ...]]] = {floor: [] for floor in FLOORS[name]}
        for seed in range(arguments.repeats):
            rows, y_rest, proba_rest = draw(seed)
            for floor in FLOORS[name]:
                line: list[float] = []
                rule = floor.solve(rows)
                for one in (rule, sharp(floor, rows)):
                    counts = as_one(count(y_rest, one.decide(proba_rest), 2))
                    line += [
                        rate(counts, floor.measure)[0] >= floor.value,
                        rate(counts, WANTED[floor.measure])[0],
                    ]
                found[floor].append((not find_shortfall(floor, rows, rule), *line))
        for floor, lines in found.items():
            table = np.array(lines, dtype=float)
            kept = table[table[:, 0] == 1]
            held, other = kept[:, 1:3].mean(axis=0) if len(kept) else (np.nan, np.nan)
            print(
                f"| {name} | {model} | {floor.measure} >= {floor.value:g} | {len(kept)} of "
                f"{len(table)} | {held:.1%} | {other:.3f} | {table[:, 3].mean():.1%} | "
                f"{table[:, 4].mean():.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
