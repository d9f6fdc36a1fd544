"""Fit and predict every file of a folder from the command line, and time the fit.

    python benchmarks/every_file.py --data FOLDER

FOLDER is as for holdout_f1.py, with files of several classes as well. Each `autoimb fit` gets
--budget; it may take 1.25 times that and 10 seconds. `autoimb predict` then answers for the same
file in a process of its own. Ends with an error if anything fails or takes longer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AUTOIMB = (sys.executable, "-c", "from autoimb.cli.app import main; main()")


def run(*arguments: object, folder: Path) -> tuple[float, str]:
    """Return the seconds and what went wrong, if anything."""
    begun = time.perf_counter()
    command = [*AUTOIMB, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    failed = done.returncode != 0 or "Traceback" in done.stderr
    return seconds, done.stderr.strip().splitlines()[-1] if failed else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budget", type=float, default=20.0)
    arguments = parser.parse_args()
    limit = 1.25 * arguments.budget + 10
    data = arguments.data.resolve()
    bad = 0
    print("| data set | seconds of fit | rows predicted | |\n|---|---|---|---|")
    for entry in json.loads((data / "index.json").read_text()):
        with tempfile.TemporaryDirectory() as name:
            folder, file = Path(name), data / entry["file"]
            budget = ("--budget", f"{arguments.budget:g}s", "--out", "model.pkl")
            seconds, wrong = run("fit", file, *budget, folder=folder)
            if not wrong:
                _, wrong = run("predict", "model.pkl", file, "--out", "found.csv", folder=folder)
            found = folder / "found.csv"
            n_rows = len(found.read_text().splitlines()) - 1 if found.exists() else 0
            if not wrong and n_rows != entry["n_rows"]:
                wrong = f"{entry['n_rows']} rows expected"
            if not wrong and seconds > limit:
                wrong = f"longer than {limit:g} s"
        bad += bool(wrong)
        print(f"| {entry['name']} | {seconds:.1f} | {n_rows:,} | {wrong} |", flush=True)
    if bad:
        sys.exit(f"{bad} data sets failed")


if __name__ == "__main__":
    main()
