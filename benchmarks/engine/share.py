"""Measure which share of a fit's CPU seconds its estimators and samplers get.

    python benchmarks/engine/share.py

The table has 20,000 rows, 20 numbers, ten text columns of 3 to 30 levels, missing cells and 5 %
positives; it lies in a CSV file. The fit has `--budget` seconds and runs in one process, on one
core: reading, profile, search, final fit, report and export. The share is that of the CPU seconds
spent in `fit`, `fit_resample` and `predict_proba` of the estimators and samplers of the space, from
the call on; importing the package is left out. Filling and encoding columns counts as the
package's own.

A second fit of the same kind runs inside cProfile, whose clock stands still in estimators and
samplers: it tells which functions of the package take the rest. Their seconds are cumulative, and
cProfile makes them longer than they are. A function that spends nearly all of its time in one
other of the package is left out.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from pathlib import Path
from typing import Any

from apart import find_order, print_header, print_line, print_machine, reply, run_apart
from tables import TARGET, mixed_table

ROWS = 20_000
N_SHOWN = 10
# of its seconds that a function spends in one other, from which on it is left out
PASSED_ON = 0.9

Function = tuple[str, int, str]


def fit_once(path: Path, folder: Path, order: dict[str, Any]) -> int:
    """Do what `autoimb.fit` does, with every trial in this process; return the number of trials."""
    from clock import fit_here

    from autoimb.artifact import save
    from autoimb.data.problem import read_problem
    from autoimb.fit_facts import sum_up

    problem = read_problem(path, TARGET)
    result = fit_here(problem, folder, order["space"], seconds=order["budget"])
    save(result.model, folder / "model.pkl", sum_up(result))
    return len(result.search.records)


def measure(order: dict[str, Any]) -> dict[str, Any]:
    """Run one fit, inside cProfile if so ordered."""
    from clock import clock_of_components

    from autoimb.strategy.search_space import load_space

    clock = clock_of_components(load_space(order["space"]))
    profiler = cProfile.Profile(clock.outside) if order["profiled"] else None
    with tempfile.TemporaryDirectory() as folder:
        begun, cpu = time.perf_counter(), time.process_time()
        if profiler is None:
            trials = fit_once(Path(order["path"]), Path(folder), order)
        else:
            trials = profiler.runcall(fit_once, Path(order["path"]), Path(folder), order)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
    functions = [] if profiler is None else list_functions(pstats.Stats(profiler))
    found = {"cpu": cpu, "wall": wall, "inside": clock.inside, "trials": trials}
    return {**found, "functions": functions}


def list_functions(stats: pstats.Stats) -> list[tuple[str, float, int]]:
    """List functions of the package, the most expensive first: name, seconds, calls."""
    table: dict[Function, Any] = stats.stats  # type: ignore[attr-defined]
    own = {function: entry for function, entry in table.items() if is_own(function)}
    passed_on: dict[Function, float] = {}
    for *_, callers in own.values():
        for caller, entry in callers.items():
            passed_on[caller] = max(passed_on.get(caller, 0.0), entry[3])
    listed = [
        (show(function), entry[3], entry[1])
        for function, entry in own.items()
        if passed_on.get(function, 0.0) < PASSED_ON * entry[3]
    ]
    return sorted(listed, key=lambda one: -one[1])[:N_SHOWN]


def package_folder() -> Path:
    import autoimb

    return Path(autoimb.__file__).parent


def is_own(function: Function) -> bool:
    return Path(function[0]).is_relative_to(package_folder())


def show(function: Function) -> str:
    path, line, name = function
    return f"`{Path(path).relative_to(package_folder())}:{line} {name}`"


def print_share(label: str, found: dict[str, Any]) -> None:
    numbers = f"{found['wall']:.0f}", f"{found['cpu']:.1f}", f"{found['inside']:.1f}"
    print_line(label, *numbers, f"{found['inside'] / found['cpu']:.1%}", found["trials"])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of each fit")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--space", default="default", help="a search space, by name or as a file")
    return parser.parse_args()


def main() -> None:
    order = find_order()
    if order is not None:
        reply(measure(order))
        return
    args = parse_arguments()
    print_machine()
    print_header("fit", "wall s", "CPU s", "of it estimators and samplers", "share", "trials")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mixed.csv"
        mixed_table(args.rows).to_csv(path, index=False)
        asked = {"path": str(path), "budget": args.budget, "space": args.space}
        plain = run_apart(__file__, {**asked, "profiled": False})
        print_share("alone", plain)
        inside = run_apart(__file__, {**asked, "profiled": True})
        print_share("inside cProfile", inside)
    print()
    print_header("function", "CPU s without estimators", "calls")
    for name, seconds, calls in inside["functions"]:
        print_line(name, f"{seconds:.2f}", f"{calls:,}")


if __name__ == "__main__":
    main()
