"""What the report adds to a fit, and whether the whole keeps to its budget.

    python benchmarks/reporting.py DATA.csv [DATA.csv ...] [--budget 30]

Each table (target column ``target``) is fitted once, with an MLflow store of its own. Printed are
the wall seconds of the whole call, then, timed again by themselves, the CPU seconds of gathering
the findings and of writing the page, and the size of the page.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from autoimb.reporting.findings import gather_findings
from autoimb.reporting.report import report_on
from autoimb.running import fit


def seconds_of(make: Callable[[], object]) -> float:
    begun = time.process_time()
    make()
    return time.process_time() - begun


def measure(data: Path, budget: float) -> str:
    with TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/mlflow.db"
        begun = time.monotonic()
        run = fit(data, "target", metric="f1", time_budget=budget, run_dir=Path(folder, "run"),
                  tracking_uri=store)  # fmt: skip
        whole = time.monotonic() - begun
        gathered = seconds_of(lambda: gather_findings(run.result))
        written = seconds_of(lambda: report_on(run.model_path))
        size = run.report_path.stat().st_size / 1e6
    return (
        f"{data.stem:<24} {whole:>7.1f} {run.result.seconds:>7.1f} {gathered:>9.2f} "
        f"{written:>6.2f} {size:>6.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--budget", type=float, default=30.0)
    asked = parser.parse_args()
    print(f"{'data':<24} {'whole s':>7} {'fit s':>7} {'gather s':>9} {'page s':>6} {'MB':>6}")
    for data in asked.data:
        print(measure(data, asked.budget), flush=True)


if __name__ == "__main__":
    main()
