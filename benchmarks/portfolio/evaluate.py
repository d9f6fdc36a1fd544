"""Cross-validate a pool of configurations on every data set of a folder, for `choose.py`.

    python benchmarks/portfolio/evaluate.py --data FOLDER --out results.jsonl

FOLDER is as for holdout_f1.py. The pool are the defaults of every model of the default space and
random configurations of it, most of them LightGBM without a sampler. Each is cross-validated on
the training part of a data set (70 %, at most `--rows` of it, drawn by class). What is in
results.jsonl already is not evaluated again, so that the same command goes on after a stop.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

sys.path.insert(0, str(Path(__file__).parents[1]))

from held_out import N_FOLDS, Split, binary_splits

from autoimb.data.splitting import assign_folds
from autoimb.evaluation.engine import Evaluator
from autoimb.profiling.describing import profile_dataset
from autoimb.strategy.configuration import STAGES, Configuration
from autoimb.strategy.parameters import Parameter
from autoimb.strategy.search_space import SearchSpace, load_space

METRICS = ("f1", "average_precision", "log_loss")
N_OF_MODEL, N_OF_LIGHTGBM, N_OF_ENSEMBLE, N_OF_SAMPLER = 5, 40, 6, 16


def draw_pool(space: SearchSpace, seed: int = 0) -> list[Configuration]:
    """Draw configurations, the defaults of each model first."""
    rng = np.random.default_rng(seed)
    plain = dict.fromkeys(STAGES[1:], "none")
    models = [component.name for component in space.stages["model"]]
    ensembles = [component.name for component in space.stages["ensemble"][1:]]
    fixed: list[dict[str, str]] = []
    for model in models:
        n = N_OF_LIGHTGBM if model == "lightgbm" else N_OF_MODEL
        # a weight is drawn for every second one
        fixed += [{"model": model, **plain} for _ in range(n - n // 2)]
        fixed += [{"model": model, **plain, "weight": "power"} for _ in range(n // 2)]
    for ensemble in ensembles:
        fixed += [{**plain, "model": "lightgbm", "ensemble": ensemble}] * N_OF_ENSEMBLE
    fixed += [{"model": model, "ensemble": "none"} for model in ("lightgbm", "logistic")] * (
        N_OF_SAMPLER // 2
    )
    drawn = [space.configuration(partial(_pick, one, rng)) for one in fixed]
    return [*(space.default(model=model, **plain) for model in models), *drawn]


def _pick(fixed: dict[str, str], rng: np.random.Generator, name: str, parameter: Parameter) -> Any:
    """Take what is fixed, and draw the rest."""
    return fixed[name] if name in fixed else parameter.sample(rng)


def small_evaluator(split: Split, max_rows: int) -> Evaluator:
    """Cross-validate on some of the training rows where there are many."""
    data, rows = split.data, np.arange(len(split.data.y))
    if len(rows) <= max_rows:
        return split.evaluator
    rows, _ = train_test_split(rows, train_size=max_rows, stratify=data.y, random_state=0)
    folds = assign_folds(data, split.evaluator.n_folds, 0)[rows]
    return Evaluator(data.X[rows], data.y[rows], folds, data.schema.n_levels, 2, "f1", 0)


def evaluate(evaluator: Evaluator, configuration: Configuration) -> dict[str, Any]:
    """Return scores and seconds; of one that fails the error."""
    try:
        found = evaluator.evaluate(configuration)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    scores = {name: (found.scores[name].value, found.scores[name].mean) for name in METRICS}
    return {"scores": scores, "seconds": round(found.seconds, 3)}


def evaluate_all(
    split: Split, pool: list[Configuration], known: set[str], max_rows: int
) -> Iterator[dict[str, Any]]:
    """Yield a line for each configuration that is not known."""
    evaluator = small_evaluator(split, max_rows)
    space = load_space("default").restricted_to(profile_dataset(split.data).facts(N_FOLDS))
    admitted = {(stage, one.name) for stage, found in space.stages.items() for one in found}
    for configuration in pool:
        flat = dict(configuration.flat)
        if json.dumps([split.name, flat]) not in known:
            chosen = {(stage, one.name) for stage, one in configuration.choices.items()}
            found = (
                evaluate(evaluator, configuration)
                if chosen <= admitted
                else {"error": "ruled out by its `if`"}
            )
            yield {"dataset": split.name, "flat": flat, **found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--jobs", type=int, default=-1)
    arguments = parser.parse_args()
    pool, known = draw_pool(load_space("default")), set()
    if arguments.out.exists():
        lines = map(json.loads, arguments.out.read_text().splitlines())
        known = {json.dumps([line["dataset"], line["flat"]]) for line in lines}

    def run(split: Split) -> None:
        for line in evaluate_all(split, pool, known, arguments.rows):
            with arguments.out.open("a") as file:  # one short write: other processes append too
                file.write(json.dumps(line) + "\n")
        print(split.name, file=sys.stderr, flush=True)

    splits = binary_splits(arguments.data, 1)
    Parallel(n_jobs=arguments.jobs)(delayed(run)(split) for split in splits)


if __name__ == "__main__":
    main()
