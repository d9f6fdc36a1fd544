"""Time the sweep over all thresholds of a million scores, and `autoimb retune` as a whole.

    python benchmarks/decision/speed.py [--model MODEL] [--repeats 15]

Each figure is the median of several runs. --model retunes a copy of that model, each time in a
process of its own, imports included.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.floors import Floor
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_corners, sweep_thresholds
from autoimb.manifest import manifest_path

N_ROWS = 1_000_000
CRITERIA: tuple[Criterion, ...] = (
    BestMetric("f1"), Costs(fn=25), Floor("precision", 0.5), Floor("recall", 0.8),
)  # fmt: skip


def median_ms(run: Callable[[], object], repeats: int) -> float:
    """Return the milliseconds of a call."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return float(1000 * np.median(taken))


def draw(share: float) -> Scored:
    """Draw a million calibrated probabilities with so large a share of positives."""
    rng = np.random.default_rng(0)
    y = (rng.random(N_ROWS) < share).astype(np.intp)
    odds = np.log(share / (1 - share)) + 2 * (rng.normal(2 * y, 1.0) - 1)
    p = 1 / (1 + np.exp(-odds))
    return Scored(y, np.column_stack([1 - p, p]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    print("| 1,000,000 scores | 0.1 % positive | 1 % positive | 10 % positive |")
    print("|---|---|---|---|")
    rows = [draw(share) for share in (0.001, 0.01, 0.1)]
    single = [one.proba[:, 1].astype(np.float32) for one in rows]
    calls: dict[str, list[Callable[[], object]]] = {
        "sort alone, single precision": [lambda s=s: np.sort(s) for s in single],
        "sweep, single precision": [
            lambda r=r, s=s: sweep_corners(r.y, s) for r, s in zip(rows, single, strict=True)
        ],
        "sweep, double precision": [lambda r=r: sweep_corners(r.y, r.proba[:, 1]) for r in rows],
        "every threshold, double precision": [
            lambda r=r: sweep_thresholds(r.y, r.proba[:, 1]) for r in rows
        ],
        **{str(c): [lambda r=r, c=c: c.solve(r) for r in rows] for c in CRITERIA},
    }
    for name, each in calls.items():
        cells = " | ".join(f"{median_ms(run, arguments.repeats):.0f} ms" for run in each)
        print(f"| {name} | {cells} |", flush=True)
    if arguments.model is not None:
        time_retune(arguments.model, arguments.repeats)


def time_retune(model: Path, repeats: int) -> None:
    """Print the seconds of `autoimb retune`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.pkl"
        shutil.copy(model, copy)
        shutil.copy(manifest_path(model), manifest_path(copy))
        code = "from autoimb.cli.app import main; main()"
        command = [sys.executable, "-c", code, "retune", str(copy), "--cost-fn", "25"]
        taken = median_ms(
            lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), repeats
        )
    print(f"\n`autoimb retune`: {taken / 1000:.2f} s")


if __name__ == "__main__":
    main()
