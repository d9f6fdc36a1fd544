"""What the recommendation is worth beside calibrated LightGBM with a tuned threshold.

    python benchmarks/honesty/regret.py --data FOLDER --budget 20

FOLDER holds CSV files and an index.json: a list of objects with `name`, `file`, `target` and
`positive`. 70 % of each table are fitted on, stratified; the rest is scored. The reference is
LightGBM with its defaults, calibrated (sigmoid, 5 folds) and, of two classes, with the threshold
of the best F1 in 5 folds. What is recommended is exported by `prefer="simple"`.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from autoimb import AutoImbClassifier
from autoimb.data.dataset import Dataset, make_dataset
from autoimb.metrics import get_metric

TEST_SHARE = 0.3


@dataclass(frozen=True)
class Split:
    """One table in two parts, raw and as numbers with category codes."""

    data: Dataset
    X: pd.DataFrame
    labels: np.ndarray
    X_test: pd.DataFrame
    labels_test: np.ndarray
    positive: str | None

    @property
    def y_test(self) -> np.ndarray:
        return self.data.labels.encode(self.labels_test)


def read_split(folder: Path, entry: dict[str, Any], seed: int) -> Split:
    path, target = folder / entry["file"], entry["target"]
    X = pd.read_csv(path, low_memory=False).drop(columns=target)
    text = pd.read_csv(path, usecols=[target], dtype=str, keep_default_na=False)[target]
    labels = text.to_numpy(dtype=object)
    X, X_test, labels, labels_test = train_test_split(
        X, labels, test_size=TEST_SHARE, stratify=labels, random_state=seed
    )
    positive = None if entry["positive"] == "multiclass" else entry["positive"]
    data = make_dataset(X.reset_index(drop=True), labels, positive=positive)
    return Split(data, X, labels, X_test, labels_test, positive)


def _as_frame(data: Dataset, X: np.ndarray) -> pd.DataFrame:
    """Tell LightGBM which columns hold categories."""
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])])
    for place, n_levels in enumerate(data.schema.n_levels):
        if n_levels:
            frame.isetitem(place, pd.Categorical(frame.iloc[:, place], range(n_levels)))
    return frame


def run_reference(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and codes of the rows that were kept aside."""
    data = split.data
    X, X_test = (_as_frame(data, part) for part in (data.X, data.schema.to_matrix(split.X_test)))
    plain = LGBMClassifier(verbosity=-1)
    calibrated = CalibratedClassifierCV(plain, method="sigmoid", cv=5).fit(X, data.y)
    proba = calibrated.predict_proba(X_test)
    if data.n_classes > 2:
        return proba, proba.argmax(axis=1)
    tuned = TunedThresholdClassifierCV(clone(calibrated), scoring=make_scorer(f1_score), cv=5)
    threshold = tuned.fit(X, data.y).best_threshold_
    return proba, (proba[:, 1] >= threshold).astype(int)


def run_recommended(
    split: Split, metric: str, budget: float, prefer: str
) -> tuple[np.ndarray, np.ndarray, str]:
    search = AutoImbClassifier(
        metric=metric, time_budget=budget, positive=split.positive, random_state=0,
        tracking_uri="off", prefer=prefer,
    ).fit(split.X, split.labels)  # fmt: skip
    model = search.model_
    codes = model.labels.encode(np.asarray(model.predict(split.X_test)))
    proba = model.predict_proba(split.X_test)[:, list(model.labels.order)]
    return proba, codes, search.recommendation_.tier


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budget", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--metrics", nargs="+", default=["f1", "average_precision"])
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--prefer", nargs="+", default=["simple"])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    regrets: dict[tuple[str, str], list[float]] = {}
    print(f"{'data':<17} {'metric':<17} {'prefer':<6} {'tier':<17} reference   ours  regret")
    for entry in json.loads((args.data / "index.json").read_text()):
        if args.only and entry["name"] not in args.only:
            continue
        split = read_split(args.data, entry, args.seed)
        reference = run_reference(split)
        for name in args.metrics:
            metric = get_metric(name)
            theirs = metric.evaluate(split.y_test, *reference)
            for prefer in args.prefer:
                proba, codes, tier = run_recommended(split, name, args.budget, prefer)
                ours = metric.evaluate(split.y_test, proba, codes)
                regrets.setdefault((name, prefer), []).append(theirs - ours)
                print(
                    f"{entry['name']:<17} {name:<17} {prefer:<6} {tier:<17} {theirs:>9.3f}  "
                    f"{ours:>5.3f}  {theirs - ours:>+6.3f}",
                    flush=True,
                )
    for (name, prefer), each in regrets.items():
        error = np.std(each) / len(each) ** 0.5
        print(f"mean regret by {name}, {prefer}: {np.mean(each):+.4f} ± {error:.4f}")


if __name__ == "__main__":
    main()
