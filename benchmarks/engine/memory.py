"""Measure the memory of a fit on many rows, and whether it keeps its time.

    python benchmarks/engine/memory.py

The table, numbers with 1 % positives, is drawn and written in a process of its own. Another one
reads it and calls `autoimb.fit` on the frame, or with `--from csv` on the file. Meanwhile this
process looks every 0.2 s at the memory of that process and of its workers. PSS counts a page that
several processes share as a part to each, so that their sum is what is really in use; where the
system does not know it, USS is taken instead. The frame of the caller and the imported packages are
part of it; what the process held before the call is also taken off.

What the fit adds is held against three times the encoded table (rows x columns x 8 bytes) and
250 MB for each worker, time against 1.05 times the budget and 5 s. Nothing is tracked. Looking on
takes a few hundredths of a core, for which GOMP_SPINCOUNT is set, unless it is already.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from apart import (
    Child,
    find_order,
    print_header,
    print_line,
    print_machine,
    reply,
    run_apart,
    start_child,
)

MB = 1e6
EVERY = 0.2  # seconds
POSITIVES = 0.01
TABLES, WORKER_MB = 3, 250  # the limit
# a short spin at OpenMP's barriers: looking on takes part of a core, and the default would stall
# a boosting of several threads by it
SHORT_SPIN = {"GOMP_SPINCOUNT": "1000"}
# a child with less is none that evaluates: Python has some of its own
NO_WORKER_MB = 30


# ---------------------------------------------------------------------------------------------
# In a child: draw the table, or fit.


def write_table(order: dict[str, Any]) -> dict[str, Any]:
    """Draw the table and write it, as text only if it is to be read from there."""
    import numpy as np
    import pandas as pd
    from tables import TARGET, draw_labels, draw_numbers

    folder, rng = Path(order["folder"]), np.random.default_rng(0)
    y = draw_labels(order["rows"], POSITIVES, rng)
    X = draw_numbers(y, order["columns"], rng)
    if order["source"] == "csv":
        table = pd.DataFrame(X).add_prefix("x").assign(**{TARGET: y})
        table.to_csv(folder / "table.csv", index=False, float_format="%.6g")
    else:
        np.save(folder / "X.npy", X)
        np.save(folder / "y.npy", y)
    return {}


def read_frame(folder: Path) -> Any:
    import numpy as np
    import pandas as pd
    from tables import TARGET

    frame = pd.DataFrame(np.load(folder / "X.npy"), copy=False).add_prefix("x")
    frame[TARGET] = np.load(folder / "y.npy")
    return frame


def fit_table(order: dict[str, Any]) -> dict[str, Any]:
    from tables import TARGET
    from watching import Notes

    import autoimb
    import autoimb.running  # else imported by the first call

    folder = Path(order["folder"])
    data = folder / "table.csv" if order["source"] == "csv" else read_frame(folder)
    before = psutil.Process().memory_info().rss
    notes = Notes()
    run = autoimb.fit(
        data,
        TARGET,
        time_budget=order["budget"],
        tracking_uri="off",
        run_dir=folder / "run",
        watchers=[notes],
    )
    wall = time.perf_counter() - notes.begun
    level = str(run.result.search.level)
    return {"wall": wall, "before": before / MB, "level": level, **notes.summary()}


# ---------------------------------------------------------------------------------------------
# In the parent: look on.


@dataclass
class Peaks:
    """The most that was seen of each, in MB."""

    rss: float = 0.0
    parent: float = 0.0
    worker: float = 0.0
    together: float = 0.0
    workers_at_once: int = 0
    looks: int = 0
    measures: set[str] = field(default_factory=set)

    def look(self, process: psutil.Process) -> None:
        """Look at a process and all that it started; what ends meanwhile counts as nothing."""
        try:
            own = self._memory(process)
            rss = process.memory_info().rss / MB
            children = process.children(recursive=True)
        except psutil.NoSuchProcess:
            return
        each = [self._memory_if_alive(child) for child in children]
        self.looks += 1
        self.rss = max(self.rss, rss)
        self.parent = max(self.parent, own)
        self.worker = max([self.worker, *each])
        self.together = max(self.together, own + sum(each))
        n_workers = sum(one > NO_WORKER_MB for one in each)
        self.workers_at_once = max(self.workers_at_once, n_workers)

    def _memory(self, process: psutil.Process) -> float:
        found = process.memory_full_info()
        name = "pss" if hasattr(found, "pss") else "uss"
        self.measures.add(name.upper())
        return getattr(found, name) / MB

    def _memory_if_alive(self, process: psutil.Process) -> float:
        try:
            return self._memory(process)
        except psutil.Error:
            return 0.0


def look_on(child: Child) -> Peaks:
    """Look every so often until the child has ended."""
    peaks, process = Peaks(), psutil.Process(child.process.pid)
    while child.process.poll() is None:
        begun = time.monotonic()
        peaks.look(process)
        time.sleep(max(0.0, EVERY - (time.monotonic() - begun)))
    return peaks


def print_memory(found: dict[str, Any], peaks: Peaks) -> None:
    table = found["cells"] * 8 / MB
    limit = TABLES * table + WORKER_MB * found["workers"]
    print_header("memory", "MB")
    print_line("encoded table", f"{table:,.0f}")
    print_line("RSS of the process before the fit, with the frame", f"{found['before']:,.0f}")
    print_line("peak RSS of the process", f"{peaks.rss:,.0f}")
    kind = "/".join(sorted(peaks.measures))
    print_line(f"peak {kind} of the process", f"{peaks.parent:,.0f}")
    print_line(f"peak {kind} of a worker", f"{peaks.worker:,.0f}")
    print_line(f"peak {kind} of all together", f"{peaks.together:,.0f}")
    print_line(
        "**of it beyond what was there before**", f"**{peaks.together - found['before']:,.0f}**"
    )
    workers = f"{found['workers']} x {WORKER_MB} MB"
    print_line(f"limit: {TABLES} tables and {workers}", f"{limit:,.0f}")
    print(f"\nup to {peaks.workers_at_once} workers at once, looked {peaks.looks} times\n")


def print_fit(found: dict[str, Any], budget: float) -> None:
    from watching import list_states

    print_header("fit", "")
    print_line("wall s", f"{found['wall']:.1f}")
    print_line("limit: 1.05 x budget + 5 s", f"{1.05 * budget + 5:.1f}")
    print_line("s until the search started", f"{found['seconds_to_search']:.1f}")
    first = found["seconds_to_score"]
    print_line("s until a trial was scored", "-" if first is None else f"{first:.1f}")
    print_line("trials", found["trials"])
    print_line("pruned or failed", list_states(found["states"]))
    print_line("different strategies", found["strategies"])
    print_line("level of the winner", found["level"])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--budget", type=float, default=120.0, help="seconds of the fit")
    parser.add_argument("--from", dest="source", choices=("frame", "csv"), default="frame")
    return parser.parse_args()


def main() -> None:
    order = find_order()
    if order is not None:
        reply(write_table(order) if order["task"] == "write" else fit_table(order))
        return
    args = parse_arguments()
    print_machine()
    print(f"{args.rows:,} x {args.columns}, from a {args.source}, {args.budget:g} s\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        asked = {**vars(args), "folder": folder}
        run_apart(__file__, {**asked, "task": "write"})
        order = {**asked, "task": "fit"}
        with start_child(__file__, order, Path(folder), SHORT_SPIN) as child:
            peaks = look_on(child)
            found = child.answer()
    print_memory(found, peaks)
    print_fit(found, args.budget)


if __name__ == "__main__":
    main()
