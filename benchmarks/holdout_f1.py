"""Compare autoimb with two LightGBM recipes at one time budget, by F1 on held-out rows.

    python benchmarks/holdout_f1.py --data FOLDER

FOLDER holds CSV files and an index.json: a list of objects with `name`, `file`, `target` and
`positive`; entries whose `positive` is "multiclass" are left out. Each system runs by itself in a
process of its own. What is done is kept in --out: start it again to go on; a run that failed is
tried again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from systems import SYSTEMS, Task, read_task

Record = dict[str, Any]


def run_here(system: str, task: Task) -> Record:
    from sklearn.metrics import average_precision_score, f1_score

    begun = time.perf_counter()
    answer = SYSTEMS[system](task)
    seconds = time.perf_counter() - begun
    return {
        "f1": float(f1_score(task.y_test, answer.y, zero_division=0)),
        "average_precision": float(average_precision_score(task.y_test, answer.score)),
        "seconds": seconds,
        "trials": answer.trials,
    }


def run_apart(system: str, name: str, args: argparse.Namespace) -> Record:
    """Run this script for one system and data set; what fails is recorded, not raised."""
    limit = 3 * args.budget + 120
    # a short spin at OpenMP's barriers: the default stalls boosting when another process is busy
    environment = {"GOMP_SPINCOUNT": "1000", **os.environ}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "record.json"
        command = [sys.executable, str(Path(__file__).resolve()), "--data", str(args.data)]
        command += ["--only", name, "--systems", system, "--budget", str(args.budget)]
        command += ["--seed", str(args.seed), "--here", str(out)]
        log = Path(folder) / "log.txt"
        status = run_limited(command, log, Path(folder), environment, limit)
        if status == 0:
            return json.loads(out.read_text())
        lines = log.read_text(errors="replace").strip().splitlines()
    reason = f"over {limit:.0f} s" if status is None else (lines or [f"exit status {status}"])[-1]
    return {"error": reason}


def run_limited(
    command: Sequence[str], log: Path, folder: Path, environment: dict[str, str], limit: float
) -> int | None:
    """Return the exit status, or None when time was over; no process of it survives."""
    with log.open("w") as stream:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return child.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def read_records(path: Path) -> dict[tuple[str, str, float, int], Record]:
    """Read what is done, by data set, system, budget and seed; of several the last."""
    lines = path.read_text().splitlines() if path.exists() else []
    records = [json.loads(line) for line in lines]
    return {(r["data"], r["system"], r["budget"], r["seed"]): r for r in records}


def mean_record(system: str, records: Iterable[Record]) -> Record:
    """Average over data sets; a failed run counts as F1 and AP of 0."""
    rows = list(records)
    keys = ("f1", "average_precision", "seconds", "trials")
    means = {key: float(np.mean([row.get(key, 0.0) for row in rows])) for key in keys}
    return {"system": system, **means}


def table_of_systems(records: Iterable[Record]) -> str:
    lines = ["| system | F1 | AP | seconds | trials |", "|---|---|---|---|---|"]
    for r in records:
        if "error" in r:
            lines.append(f"| {r['system']} | failed: {r['error'][:80]} | | | |")
            continue
        numbers = f"{r['f1']:.3f} | {r['average_precision']:.3f} | {r['seconds']:.1f}"
        lines.append(f"| {r['system']} | {numbers} | {r['trials']:.0f} |")
    return "\n".join(lines)


def table_of_f1(names: Sequence[str], systems: Sequence[str], done: dict[Any, Record]) -> str:
    """One row per data set, the best F1 of each in bold."""
    lines = ["| F1 | " + " | ".join(systems) + " |", "|---" * (len(systems) + 1) + "|"]
    for name in names:
        scores = [done[name, system].get("f1", 0.0) for system in systems]
        cells = [f"**{s:.3f}**" if s == max(scores) else f"{s:.3f}" for s in scores]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run_all(args: argparse.Namespace, entries: Sequence[Record]) -> None:
    known = read_records(args.out)
    done: dict[Any, Record] = {}
    for name in (entry["name"] for entry in entries):
        for system in args.systems:
            record = known.get((name, system, args.budget, args.seed), {"error": "not run"})
            if "error" in record or system in args.redo:
                asked = {"data": name, "system": system, "budget": args.budget, "seed": args.seed}
                record = {**asked, **run_apart(system, name, args)}
                with args.out.open("a") as stream:
                    stream.write(json.dumps(record) + "\n")
            done[name, system] = record
        print(f"\n{name}\n")
        print(table_of_systems(done[name, system] for system in args.systems), flush=True)
    names = [entry["name"] for entry in entries]
    means = [mean_record(s, (done[name, s] for name in names)) for s in args.systems]
    print(f"\nmeans over {len(names)} data sets\n\n{table_of_systems(means)}")
    print(f"\n{table_of_f1(names, args.systems, done)}")


def read_entries(folder: Path, only: Sequence[str]) -> list[Record]:
    """Read the binary data sets of the index, or those asked for."""
    index = json.loads((folder / "index.json").read_text())
    binary = {entry["name"]: entry for entry in index if entry["positive"] != "multiclass"}
    unknown = sorted(set(only) - set(binary))
    if unknown or not binary:
        sys.exit(f"{folder}: no binary data set {', '.join(unknown)}; has {', '.join(binary)}")
    return [binary[name] for name in only or binary]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of CSVs and index.json")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--redo", nargs="+", choices=SYSTEMS, default=[], help="even if done")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these data sets")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds for each run")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    parser.add_argument("--out", type=Path, default=Path("holdout_f1.jsonl"), help="results")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)  # one run, in this process
    args = parser.parse_args()
    args.data = args.data.resolve()
    return args


def main() -> None:
    args = parse_arguments()
    entries = read_entries(args.data, args.only)
    if args.here:
        record = run_here(args.systems[0], read_task(args.data, entries[0], args.budget, args.seed))
        args.here.write_text(json.dumps(record))
    else:
        run_all(args, entries)


if __name__ == "__main__":
    main()
