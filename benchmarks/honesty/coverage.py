"""Does the interval hold the true score of the shipped model, and is the headline unbiased?

    python benchmarks/honesty/coverage.py --draws 100

Each draw has 500 to 3,000 rows to train on, from three families of data, and 100,000 further rows
that tell what the exported model is truly worth. Half of the fits maximise the average precision,
half F1. What is done is kept in --out: start it again to go on.
"""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from fits import fit_quickly, make_parser, run_all
from sources import draw

METRICS = ("average_precision", "f1")


def measure(number: int, n_trials: int) -> dict[str, float | str]:
    from autoimb.metrics import get_metric

    warnings.simplefilter("ignore")
    drawn, name = draw(number), METRICS[number % 2]
    search = fit_quickly(drawn.X, drawn.y, name, n_trials, number)
    model, found = search.model_, search.result_.estimates[name]
    proba = model.predict_proba(drawn.X_further)
    truth = get_metric(name).evaluate(drawn.y_further, proba, model.rule.decide(proba))
    return {
        "metric": name, "truth": truth, "value": found.value, "low": found.low,
        "high": found.high, "best": search.result_.appraisal.best_trial,
        "n_positive": int(drawn.y.sum()),
    }  # fmt: skip


def main() -> None:
    parser = make_parser(__doc__, 100)
    parser.add_argument("--out", type=Path, default=Path("coverage.jsonl"))
    args = parser.parse_args()
    done = args.out.read_text().splitlines() if args.out.exists() else []
    rows = [json.loads(line) for line in done]
    work = partial(measure, n_trials=args.trials)
    for row in run_all(work, range(len(rows), args.draws), args.jobs):
        rows.append(row)
        with args.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
    print(
        "metric              draws  covered  bias of the headline    of the best trial  half-width"
    )
    for name in (*METRICS, "both"):
        some = [row for row in rows if name in (row["metric"], "both")]
        column = {key: np.array([row[key] for row in some]) for key in some[0] if key != "metric"}
        covered = (column["low"] <= column["truth"]) & (column["truth"] <= column["high"])
        error = column["value"] - column["truth"]
        width = (column["high"] - column["low"]) / 2
        print(
            f"{name:<18}  {len(some):>5}  {covered.mean():>7.1%}  "
            f"{error.mean():>+9.4f} ± {error.std() / len(some) ** 0.5:.4f}  "
            f"{(column['best'] - column['truth']).mean():>+14.4f}  {width.mean():>10.3f}"
        )


if __name__ == "__main__":
    main()
