"""Measure whether `autoimb.fit` keeps its budget, and how soon it has a first result.

    python benchmarks/engine/budget_kept.py

Mixed tables (20 numbers, ten text columns, missing cells, 5 % positives) of several sizes, each
with several budgets. A fit is called on the frame in a process of its own, whose working directory
is a new folder: trials are tracked with MLflow there, as a user has it. Wall time is that of the
call, the end of tracking included and the import of the package left out. Its limit is 1.05 times
the budget and 5 s. The first trial should be scored within a tenth of the budget.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from apart import find_order, print_header, print_line, print_machine, reply, run_apart

ROWS, BUDGETS = (300, 10_000, 100_000), (10.0, 60.0)
# of the budget, for the first scored trial
FIRST_SHARE = 0.1
# would move the store out of the folder
STORE = "MLFLOW_TRACKING_URI"


def fit_table(order: dict[str, Any]) -> dict[str, Any]:
    from tables import TARGET, mixed_table
    from watching import Notes

    import autoimb
    import autoimb.running  # else imported by the first call

    os.environ.pop(STORE, None)
    table = mixed_table(order["rows"])
    notes = Notes()
    run = autoimb.fit(table, TARGET, time_budget=order["budget"], watchers=[notes])
    wall = time.perf_counter() - notes.begun
    level, is_tracked = str(run.result.search.level), run.run_id is not None
    fitted = run.result.seconds
    return {
        "wall": wall, "fitted": fitted, "level": level, "tracked": is_tracked, **notes.summary()
    }  # fmt: skip


def mark(seconds: float | None, limit: float) -> str:
    """Show seconds, in bold if they are over a limit."""
    if seconds is None:
        return "**never**"
    return f"{seconds:.1f}" if seconds <= limit else f"**{seconds:.1f}**"


def print_found(rows: int, budget: float, found: dict[str, Any]) -> None:
    from watching import list_states

    limit, first = 1.05 * budget + 5, FIRST_SHARE * budget
    print_line(
        f"{rows:,}",
        f"{budget:g}",
        mark(found["wall"], limit),
        f"{limit:.1f}",
        f"{found['fitted']:.1f}",
        mark(found["seconds_to_score"], first),
        f"{first:.1f}",
        found["trials"],
        list_states(found["states"]),
        found["strategies"],
        found["level"],
        "yes" if found["tracked"] else "**no**",
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--budgets", type=float, nargs="+", default=list(BUDGETS), help="seconds")
    return parser.parse_args()


def main() -> None:
    order = find_order()
    if order is not None:
        reply(fit_table(order))
        return
    args = parse_arguments()
    print_machine()
    print_header(
        "rows", "budget s", "wall s", "limit", "of it the fit", "first scored s", "limit", "trials",
        "pruned or failed", "strategies", "level", "tracked",
    )  # fmt: skip
    for rows in args.rows:
        for budget in args.budgets:
            with tempfile.TemporaryDirectory() as folder:
                asked = {"rows": rows, "budget": budget}
                found = run_apart(__file__, asked, Path(folder), limit=3 * budget + 300)
            print_found(rows, budget, found)


if __name__ == "__main__":
    main()
