"""Measure trials per minute of autoimb beside a plain loop that a good practitioner would write.

    python benchmarks/engine/plain_loop.py --data FOLDER

FOLDER holds CSV files and an index.json, as for ../holdout_f1.py. autoimb searches LightGBM in the
ranges of same_trees.toml, one of four samplers with a searched ratio, and a power of the class
sizes as class weight, on five folds, by average precision, on two cores. The plain loop then gets
the same configurations, in an order drawn from the seed: what is compared is how fast they are
evaluated, not who asks for small trees.

The plain loop is an Optuna study over a Pipeline of imbalanced-learn (median, most frequent level
and one-hot columns; sampler; LightGBM with one thread) in `cross_val_predict` with two processes.
It has no `cat_smooth`, which means nothing without categories, and its processes are up before its
clock starts. It runs until its time is over: finished trials by the time they took.

autoimb starts its processes, profiles, searches, refits and reports within its budget. Its trials
are divided by the seconds of the whole fit, and, which is what the plain loop does, by those from
the first question to the last answer, the start of its processes included. A pruned trial counts as
a trial, since deciding after two folds is the point; how many there were is printed.

Each run has a process of its own; importing packages is left out. Numbers are medians over the
repeats, which differ in their seed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from apart import find_order, print_header, print_line, print_machine, reply, run_apart

SETS = ("telco_churn", "bank_marketing", "mammography", "taiwan_credit")
SPACE = Path(__file__).with_name("same_trees.toml")
N_FOLDS, N_JOBS = 5, 2
# of its cells, from which a text column is one of numbers
NUMBERS_SHARE = 0.99
# rows of each class that the processes of the plain loop are started with
WARM_UP_ROWS = 100


@dataclass(frozen=True)
class Task:
    """One data set for one system."""

    X: pd.DataFrame
    labels: np.ndarray
    positive: str
    budget: float
    seed: int
    asked: Path  # configurations, from autoimb to the plain loop

    @property
    def y(self) -> np.ndarray:
        return (self.labels == self.positive).astype(int)


@dataclass(frozen=True)
class Pace:
    """What a system managed; pruned trials are among the trials, failed ones are not."""

    trials: int
    pruned: int
    failed: int
    seconds: float
    loop_seconds: float

    @property
    def per_minute(self) -> float:
        return 60 * self.trials / self.seconds

    @property
    def per_loop_minute(self) -> float:
        return 60 * self.trials / self.loop_seconds


def read_entry(folder: Path, name: str) -> dict[str, Any]:
    index = json.loads((folder / "index.json").read_text())
    binary = {entry["name"]: entry for entry in index if entry["positive"] != "multiclass"}
    if name not in binary:
        sys.exit(f"{folder}: no binary data set {name}; has {', '.join(binary)}")
    return binary[name]


def read_features(folder: Path, entry: dict[str, Any]) -> pd.DataFrame:
    table = pd.read_csv(folder / entry["file"], low_memory=False)
    return table.drop(columns=entry["target"])


def read_task(order: dict[str, Any]) -> Task:
    folder = Path(order["data"])
    entry = read_entry(folder, order["name"])
    # read apart: among labels, "NA" is a word and "1" is not 1.0
    column = {"usecols": [entry["target"]], "dtype": str, "keep_default_na": False}
    labels = pd.read_csv(folder / entry["file"], **column)[entry["target"]]
    return Task(
        read_features(folder, entry),
        labels.to_numpy(dtype=object),
        entry["positive"],
        order["budget"],
        order["seed"],
        Path(order["asked"]),
    )


def tidy(X: pd.DataFrame) -> pd.DataFrame:
    """Read text columns that hold numbers but for a few cells as numbers, as a person would."""
    found = {}
    for column in word_columns(X):
        parsed = pd.to_numeric(X[column].astype(str), errors="coerce")
        if parsed.notna().mean() > NUMBERS_SHARE:
            found[column] = parsed
    return X.assign(**found)


def word_columns(X: pd.DataFrame) -> list[str]:
    return list(X.columns.difference(X.select_dtypes("number").columns, sort=False))


def run_autoimb(task: Task) -> Pace:
    import lightgbm  # noqa: F401

    from autoimb import AutoImbClassifier

    model = AutoImbClassifier(
        space=SPACE,
        metric="average_precision",
        time_budget=task.budget,
        n_folds=N_FOLDS,
        positive=task.positive,
        n_jobs=N_JOBS,
        random_state=task.seed,
        tracking_uri="off",
        blend=False,
    )
    begun = time.perf_counter()
    model.fit(task.X, task.labels)
    seconds = time.perf_counter() - begun
    records = model.result_.search.records
    task.asked.write_text(json.dumps([record.configuration.flat for record in records]))
    states = [record.state for record in records]
    complete, pruned, failed = map(states.count, ("complete", "pruned", "failed"))
    told = [trial for trial in model.study_.trials if trial.datetime_complete]
    first = min(trial.datetime_start for trial in told)
    last = max(trial.datetime_complete for trial in told)
    return Pace(complete + pruned, pruned, failed, seconds, (last - first).total_seconds())


# ---------------------------------------------------------------------------------------------
# The plain loop.


def suggest(trial: Any, name: str, allowed: Any) -> Any:
    """Suggest a value as a line of same_trees.toml allows it."""
    if isinstance(allowed, list):
        return trial.suggest_categorical(name, allowed)
    if not isinstance(allowed, dict):
        return allowed
    low, high, log = allowed["low"], allowed["high"], allowed.get("log", False)
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, log=log)
    return trial.suggest_float(name, low, high, log=log)


def preparation(X: pd.DataFrame) -> Any:
    """Fill gaps by the median or the most frequent level, and give each level a column."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    words = word_columns(X)
    numbers = [column for column in X.columns if column not in words]
    levels = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return ColumnTransformer(
        [("numbers", SimpleImputer(strategy="median"), numbers), ("words", levels, words)],
        verbose_feature_names_out=False,
    )


def make_sampler(name: str, share: float, ratio: float, seed: int, neighbors: int) -> Any:
    """Make a sampler that leaves an imbalance ratio of ratio ** (1 - share)."""
    from imblearn.over_sampling import SMOTE, RandomOverSampler
    from imblearn.under_sampling import RandomUnderSampler

    wanted = {"sampling_strategy": ratio ** (share - 1), "random_state": seed}
    if name == "smote":
        return SMOTE(k_neighbors=neighbors, **wanted)
    sampler = RandomOverSampler if name == "random_over" else RandomUnderSampler
    return sampler(**wanted)


def as_parameters(flat: dict[str, Any]) -> dict[str, Any]:
    """Name what autoimb asked for as the plain loop does."""
    renamed = {key.split(".", 1)[1]: value for key, value in flat.items() if "." in key}
    own = {key.removeprefix("lightgbm."): value for key, value in renamed.items()}
    return own | {"sampler": flat["sampler"], "power": own.get("power.power", 0.0)}


def suggest_pipeline(trial: Any, task: Task, space: dict[str, Any]) -> Any:
    """Suggest preparation, sampler and model as one pipeline."""
    from imblearn.pipeline import Pipeline
    from lightgbm import LGBMClassifier

    sizes = np.bincount(task.y)
    ratio, share, sampler = sizes[0] / sizes[1], 0.0, "passthrough"
    name = trial.suggest_categorical("sampler", list(space["sampler"]))
    if name != "none":
        table = space["sampler"][name]
        share = suggest(trial, f"{name}.balance", table["balance"])
        neighbors = suggest(trial, f"{name}.k_neighbors", table.get("k_neighbors", 5))
        few = int(sizes[1] * (1 - 1 / N_FOLDS)) - 1
        sampler = make_sampler(name, share, ratio, task.seed, min(neighbors, few))
    power = trial.suggest_float("power", 0.0, 1.0)
    settings = {
        key: suggest(trial, key, allowed)
        for key, allowed in space["model"]["lightgbm"].items()
        if key not in ("class", "input", "cat_smooth")
    }
    # the ratio that the sampler leaves, to the power: 1 gives both classes the same weight
    weight = {0: 1.0, 1: (ratio ** (1 - share)) ** power}
    model = LGBMClassifier(class_weight=weight, n_jobs=1, random_state=task.seed, **settings)
    return Pipeline([("prepare", preparation(task.X)), ("sample", sampler), ("model", model)])


def score_out_of_fold(pipeline: Any, X: pd.DataFrame, y: np.ndarray, seed: int) -> float:
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    proba = cross_val_predict(
        pipeline, X, y, cv=folds, method="predict_proba", n_jobs=N_JOBS
    )  # fmt: skip
    return float(average_precision_score(y, proba[:, 1]))


def start_processes(task: Task, space: dict[str, Any]) -> None:
    """Have the processes of the plain loop start and import what they need."""
    import optuna

    few = np.concatenate([np.flatnonzero(task.y == k)[:WARM_UP_ROWS] for k in (0, 1)])
    plain = optuna.trial.FixedTrial(
        {"sampler": "none", "power": 0.0, "n_estimators": 50, "learning_rate": 0.1}
        | {"num_leaves": 15, "min_child_samples": 20, "subsample": 1.0}
        | {"colsample_bytree": 1.0, "reg_lambda": 1.0, "extra_trees": False}
    )
    pipeline = suggest_pipeline(plain, task, space)
    score_out_of_fold(pipeline, task.X.iloc[few], task.y[few], task.seed)


def run_plain(task: Task) -> Pace:
    import warnings

    import optuna

    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = tomllib.loads(SPACE.read_text())
    task = replace(task, X=tidy(task.X))
    start_processes(task, space)

    def objective(trial: optuna.Trial) -> float:
        pipeline = suggest_pipeline(trial, task, space)
        return score_out_of_fold(pipeline, task.X, task.y, task.seed)

    sampler = optuna.samplers.TPESampler(seed=task.seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    asked = json.loads(task.asked.read_text())
    for place in np.random.default_rng(task.seed).permutation(len(asked)):
        study.enqueue_trial(as_parameters(asked[place]))
    begun = time.perf_counter()
    study.optimize(objective, len(asked), timeout=task.budget, catch=(ValueError,))
    seconds = time.perf_counter() - begun
    states = [trial.state.name for trial in study.trials]  # those not begun are waiting
    return Pace(states.count("COMPLETE"), 0, states.count("FAIL"), seconds, seconds)


# ---------------------------------------------------------------------------------------------
# In the parent.

SYSTEMS: dict[str, Callable[[Task], Pace]] = {"autoimb": run_autoimb, "plain": run_plain}


def run_in_turn(args: argparse.Namespace, name: str) -> dict[str, list[Pace]]:
    """Run autoimb, then the plain loop on what it asked for."""
    paces: dict[str, list[Pace]] = {system: [] for system in SYSTEMS}
    for repeat in range(args.repeats):
        order = {"data": str(args.data), "name": name, "budget": args.budget, "seed": repeat}
        with tempfile.TemporaryDirectory() as folder:
            order["asked"] = str(Path(folder, "asked.json"))
            for system in SYSTEMS:
                limit = 3 * args.budget + 300
                answer = run_apart(__file__, {**order, "system": system}, limit=limit)
                paces[system].append(Pace(**answer))
    return paces


def print_paces(name: str, kind: str, paces: dict[str, list[Pace]]) -> None:
    ours, plain = (median(pace.per_minute for pace in paces[s]) for s in ("autoimb", "plain"))
    loop = median(pace.per_loop_minute for pace in paces["autoimb"])
    every = paces["autoimb"]
    pruned = sum(pace.pruned for pace in every) / max(sum(pace.trials for pace in every), 1)
    failed = " and ".join(str(sum(pace.failed for pace in paces[s])) for s in ("autoimb", "plain"))
    ratio = f"{loop / plain:.1f} ({ours / plain:.1f})" if plain else "-"
    seconds = median(pace.seconds for pace in every)
    print_line(
        name,
        kind,
        f"{loop:.1f} ({ours:.1f})",
        f"{pruned:.0%}",
        f"{seconds:.0f}",
        f"{plain:.1f}",
        ratio,
        failed,
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of CSVs and index.json")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=list(SETS))
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of each run")
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args()
    args.data = args.data.resolve()
    return args


def main() -> None:
    order = find_order()
    if order is not None:
        reply(asdict(SYSTEMS[order["system"]](read_task(order))))
        return
    args = parse_arguments()
    entries = [read_entry(args.data, name) for name in args.only]
    print_machine()
    print_header(
        "data set", "columns", "autoimb, trials/min (of the fit)", "of them pruned",
        "seconds of its fit",
        "plain loop, trials/min", "ratio", "failed trials of both",
    )  # fmt: skip
    for entry in entries:
        kind = "mixed" if word_columns(read_features(args.data, entry)) else "numeric"
        print_paces(entry["name"], kind, run_in_turn(args, entry["name"]))


if __name__ == "__main__":
    main()
