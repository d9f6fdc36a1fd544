"""How often is a strategy claimed to beat doing nothing where there is nothing to find?

    python benchmarks/honesty/null.py --draws 20

Every other table has labels that do not depend on it; of the others the order of the rows is all
that can be known, and any model that learns it has it. So the metric is a ranking's, the average
precision: a threshold does buy something even where nothing can be known.
"""

from __future__ import annotations

import warnings
from functools import partial

from fits import fit_quickly, make_parser, run_all
from sources import draw_null


def measure(number: int, n_trials: int) -> tuple[str, bool, str]:
    warnings.simplefilter("ignore")
    search = fit_quickly(*draw_null(number), "average_precision", n_trials, number)
    found = search.recommendation_
    kind = "strategy" if number % 2 else "features"
    return kind, found.surety == "clear", found.tier


def main() -> None:
    args = make_parser(__doc__, 20).parse_args()
    rows = list(run_all(partial(measure, n_trials=args.trials), range(args.draws), args.jobs))
    print("labels independent of  sets  claimed  recommended")
    for kind in ("features", "strategy"):
        some = [row for row in rows if row[0] == kind]
        tiers = sorted({row[2] for row in some})
        counts = ", ".join(f"{tier} {sum(row[2] == tier for row in some)}" for tier in tiers)
        print(f"{kind:<21}  {len(some):>4}  {sum(row[1] for row in some):>7}  {counts}")
    n = sum(row[1] for row in rows)
    print(f"claimed in all: {n} of {len(rows)} ({n / len(rows):.1%})")


if __name__ == "__main__":
    main()
