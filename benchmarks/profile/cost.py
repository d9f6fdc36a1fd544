"""Measure what describing a table costs: CPU seconds on one core, wall seconds on two, memory.

    python benchmarks/profile/cost.py --peers PYTHON

PYTHON is an interpreter that can import problexity, pymfe and scikit-learn; without it only autoimb
is measured. `--rows 1000x20 5000x20` chooses the tables, which are drawn at random. Each
measurement has a process of its own, which reads the table and describes 200 rows of it before the
clock starts. Memory is the highest resident memory during the call, less what the process held just
before it. Numbers of autoimb are medians over `--repeats` processes; a peer that takes long, or
fails, is run once. Runs on Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SIZES = ("1000x20", "10000x30", "1000000x30")
# from here on a table has few positives, and is drawn twice: a search for neighbours of the other
# class ends early where the classes overlap, and late where they are apart
LARGE = 1_000_000
# up to here pymfe also extracts all its groups: beyond, they take minutes
SMALL = 1_000
# a peer that takes longer is not repeated: seconds that vary by a tenth say enough
LONG_SECONDS = 10.0
# both classes are in it, and the slowest package describes it in about a second
WARM_UP_ROWS = 200
# a table of distances between 100,000 rows wants 80 GB: it has to fail rather than swap
ADDRESS_SPACE = 12 << 30
# imports and reading the largest table, with another process on the same core
START_SECONDS = 120.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# of an error: a cell of a table has to stay readable
MESSAGE_LENGTH = 90

HEADER = (
    "rows x columns",
    "package",
    "CPU s",
    "wall s on two cores",
    "peak memory above the data (MB)",
    "measures",
    "remark",
)


@dataclass(frozen=True)
class Table:
    """One table to describe; `kind` says how far its classes are apart, if there are two."""

    rows: int
    columns: int
    class_sep: float
    kind: str = ""

    def __str__(self) -> str:
        size = f"{self.rows:,} x {self.columns}"
        return f"{size}, {self.kind}" if self.kind else size

    def write(self, folder: Path) -> None:
        import numpy as np
        from sklearn.datasets import make_classification

        large = self.rows >= LARGE
        X, y = make_classification(
            self.rows,
            n_features=self.columns,
            n_informative=min(8, self.columns),
            n_redundant=0,
            weights=[0.995 if large else 0.95],
            flip_y=0.0 if large else 0.01,
            class_sep=self.class_sep,
            random_state=0,
        )
        np.save(folder / "X.npy", X)
        np.save(folder / "y.npy", y)


@dataclass(frozen=True)
class Order:
    """What a child is told to measure."""

    package: str
    folder: str
    n_cores: int
    limit: float


@dataclass(frozen=True)
class Cost:
    """What a child found, or why there is nothing."""

    cpu: float = 0.0
    wall: float = 0.0
    megabytes: float = 0.0
    n_measures: int | None = None
    missing: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    error: str = ""

    @property
    def failed(self) -> bool:
        return self.stopped or bool(self.error)


# ---------------------------------------------------------------------------------------------
# In the child, which may run in the peers' interpreter: autoimb cannot be imported there.


def use_autoimb(X: np.ndarray) -> tuple[Any, Callable[..., Any]]:
    """Return the features as the package takes them, and what describes them."""
    import pandas as pd

    import autoimb

    return pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]), autoimb.profile


def use_problexity(X: np.ndarray) -> tuple[Any, Callable[..., Any]]:
    from problexity import ComplexityCalculator

    return X, lambda X, y: ComplexityCalculator().fit(X, y)


def use_pymfe(X: np.ndarray, groups: Any) -> tuple[Any, Callable[..., Any]]:
    from pymfe.mfe import MFE

    return X, lambda X, y: MFE(groups=groups).fit(X, y).extract()


def count_autoimb(found: Any) -> tuple[int | None, list[str]]:
    """Return how many measures there are, and the names of those without a value."""
    measures = getattr(found, "measures", None)
    return (None if measures is None else len(measures)), []


def count_problexity(found: Any) -> tuple[int | None, list[str]]:
    missing = [
        name
        for name, value in zip(found.cnames, found.complexity, strict=True)
        if not isfinite(value)
    ]
    return len(found.complexity) - len(missing), missing


def count_pymfe(found: Any) -> tuple[int | None, list[str]]:
    """Count a measure once, whatever the number of its summaries; pymfe turns errors into nan."""
    has_value: dict[str, bool] = {}
    for name, value in zip(*found, strict=True):
        measure = name.split(".")[0]
        has_value[measure] = has_value.get(measure, False) or isfinite(value)
    missing = [name for name, has in has_value.items() if not has]
    return len(has_value) - len(missing), missing


PACKAGES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "autoimb": (use_autoimb, count_autoimb),
    "problexity": (use_problexity, count_problexity),
    "pymfe": (partial(use_pymfe, groups=["complexity"]), count_pymfe),
    "pymfe, all groups": (partial(use_pymfe, groups="all"), count_pymfe),
}


def read_memory(name: str) -> float:
    """Return a field of /proc/self/status in MB: VmRSS is resident now, VmHWM the most it was."""
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024 / 1e6
    raise LookupError(name)


def reset_peak() -> None:
    """Let VmHWM start again from what is resident now, without memory that is merely kept."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def restrict(order: Order) -> None:
    """Restrict this process before numpy is imported, which counts the cores."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[: order.n_cores])
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    # a killed process would leave its memory as a file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_seconds(seconds: float) -> None:
    """Have this process killed once it has used so many CPU seconds more."""
    end = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (end, end + 5))


def warm_up(describe: Callable[..., Any], X: Any, y: np.ndarray) -> None:
    import numpy as np

    few = np.concatenate([np.flatnonzero(y == k)[: WARM_UP_ROWS // 2] for k in np.unique(y)])
    describe(X.take(few, axis=0), y[few])


def find_versions(package: str) -> dict[str, str]:
    found = {}
    for name in (package.split(",")[0], "numpy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def measure(order: Order) -> Cost:
    restrict(order)
    warnings.simplefilter("ignore")
    import numpy as np

    use, count = PACKAGES[order.package]
    X, describe = use(np.load(Path(order.folder) / "X.npy"))
    y = np.load(Path(order.folder) / "y.npy")
    warm_up(describe, X, y)
    limit_seconds(order.limit)
    reset_peak()
    before = read_memory("VmRSS")
    wall, cpu = time.perf_counter(), time.process_time()
    found = describe(X, y)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    megabytes = read_memory("VmHWM") - before
    n_measures, missing = count(found)
    return Cost(cpu, wall, megabytes, n_measures, missing, find_versions(order.package))


def describe_error(error: BaseException) -> str:
    """Return the name and message of the first cause: pymfe raises a bare Exception from it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:MESSAGE_LENGTH]


def answer(order: Order) -> None:
    """Print the cost, or the error, as the last line of the output."""
    try:
        cost = measure(order)
    except Exception as error:
        cost = Cost(error=describe_error(error))
    print("\n" + json.dumps(asdict(cost)), flush=True)


# ---------------------------------------------------------------------------------------------
# In the parent, which starts one child after the other.


def run(python: str, order: Order) -> Cost:
    """Measure in a process of its own."""
    shared = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    try:
        done = subprocess.run(
            [python, __file__, "--measure", json.dumps(asdict(order))],
            env=shared | (ONE_THREAD if order.n_cores == 1 else {}),
            capture_output=True,
            text=True,
            timeout=2 * order.limit + START_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Cost(stopped=True)
    if done.returncode == -signal.SIGXCPU:
        return Cost(stopped=True)
    if done.returncode < 0:
        return Cost(error=f"killed by {signal.Signals(-done.returncode).name}")
    if done.returncode > 0:
        return Cost(
            error=(done.stderr.splitlines() or ["ended without a word"])[-1][:MESSAGE_LENGTH]
        )
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def run_often(python: str, order: Order, repeats: int) -> list[Cost]:
    """Measure several times, or once if that fails or if it is a peer that takes long."""
    costs = [run(python, order)]
    while len(costs) < repeats and not costs[-1].failed:
        if order.package != "autoimb" and costs[0].cpu > LONG_SECONDS:
            break
        costs.append(run(python, order))
    return costs


def show(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def remark(cost: Cost) -> str:
    if cost.error:
        return cost.error
    if not cost.missing:
        return ""
    more = f" and {len(cost.missing) - 3} more" if len(cost.missing) > 3 else ""
    return f"without a value: {', '.join(cost.missing[:3])}{more}"


def print_line(*cells: object) -> None:
    print("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |", flush=True)


def print_costs(table: Table, order: Order, costs: list[Cost], wall: str) -> None:
    last = costs[-1]
    if last.stopped:
        print_line(table, order.package, f"> {order.limit:g} (stopped)", "-", "-", "-", "")
        return
    if last.error:
        print_line(table, order.package, "-", "-", "-", "-", last.error)
        return
    cpu = show(median(cost.cpu for cost in costs))
    megabytes = show(median(cost.megabytes for cost in costs))
    n_measures = "-" if last.n_measures is None else last.n_measures
    print_line(table, order.package, cpu, wall, megabytes, n_measures, remark(last))


def measure_wall(order: Order, repeats: int) -> str:
    """Measure autoimb once more, on two cores."""
    if len(os.sched_getaffinity(0)) < 2:
        return "-"
    costs = run_often(sys.executable, Order(order.package, order.folder, 2, order.limit), repeats)
    if costs[-1].failed:
        return costs[-1].error or f"> {order.limit:g} (stopped)"
    return show(median(cost.wall for cost in costs))


def list_tables(sizes: list[tuple[int, int]]) -> Iterator[Table]:
    for rows, columns in sizes:
        if rows < LARGE:
            yield Table(rows, columns, 0.8)
        else:
            yield Table(rows, columns, 0.5, "overlapping")
            yield Table(rows, columns, 2.0, "apart")


def list_packages(table: Table, peers: str | None) -> Iterator[tuple[str, str]]:
    """List package and interpreter; the peers get only one of the two tables of a large size."""
    yield "autoimb", sys.executable
    if peers is None or table.kind == "apart":
        return
    yield "problexity", peers
    yield "pymfe", peers
    if table.rows <= SMALL:
        yield "pymfe, all groups", peers


def compare(table: Table, arguments: argparse.Namespace) -> dict[str, dict[str, str]]:
    """Print a line for each package, and return the versions it ran with."""
    versions = {}
    with tempfile.TemporaryDirectory() as folder:
        table.write(Path(folder))
        for package, python in list_packages(table, arguments.peers):
            order = Order(package, folder, 1, arguments.limit)
            costs = run_often(python, order, arguments.repeats)
            wall = "-"
            if package == "autoimb" and not costs[-1].failed:
                wall = measure_wall(order, arguments.repeats)
            print_costs(table, order, costs, wall)
            if costs[-1].versions:
                versions[package] = costs[-1].versions
    return versions


def parse_size(text: str) -> tuple[int, int]:
    rows, columns = text.split("x")
    return int(rows), int(columns)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", metavar="PYTHON", help="has problexity and pymfe")
    parser.add_argument(
        "--rows", nargs="+", type=parse_size, default=list(map(parse_size, SIZES)), metavar="NxD"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120.0, help="CPU seconds of a call")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if arguments.measure:
        answer(Order(**json.loads(arguments.measure)))
        return
    print_line(*HEADER)
    print_line(*["---"] * len(HEADER))
    versions: dict[str, dict[str, str]] = {}
    for table in list_tables(arguments.rows):
        versions |= compare(table, arguments)
    print()
    for line in dict.fromkeys(
        ", ".join(f"{name} {number}" for name, number in found.items())
        for found in versions.values()
    ):
        print(f"- {line}")


if __name__ == "__main__":
    main()
