"""`autoimb runs` and `autoimb compare`: what a person reads of past runs, and a program."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import QUICK, Command

from autoimb.cli import compare as compare_command
from autoimb.cli.runs import CUT, LEFT_OUT, as_columns, fit_widths, natural_widths
from autoimb.past_run import PastRun
from autoimb.run_comparison import compare_runs

RUN = PastRun(
    id="4f7e5787525c45ae9379904317182681", status="finished",
    started=datetime(2026, 7, 3, 12, tzinfo=UTC), seconds=64.0, data="/data/customers.csv",
    data_sha256="e3b0" * 16, rows=7043, metric="average_precision", headline=0.6663,
    headline_low=0.6124, headline_high=0.7021, strategy="lightgbm + smote and 11 more",
    decision_asked="best f1", decision="threshold 0.323", threshold=0.323, calibrator="isotonic",
    calibration_ece=0.013, calibration_slope=0.94, calibration_intercept=0.04, trials=41,
    failed_trials=2, pruned_trials=9, seed=0, budget_seconds=60.0, autoimb="0.1.0",
)  # fmt: skip
LATER = replace(
    RUN, id="0b1c22d9000045ae9379904317182681", headline=0.801, headline_low=0.78,
    headline_high=0.82, seed=1, budget_seconds=None, budget_trials=40, strategy="logistic",
    decision="threshold 0.5", threshold=0.5,
)  # fmt: skip
FAILED = PastRun(
    id="77777777000045ae9379904317182681", status="failed", failure="DataError: no rows",
    started=RUN.started, metric="f1", decision_asked="best f1",
)  # fmt: skip


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[PastRun]:
    """What the store holds."""
    found = [LATER, RUN, FAILED]
    monkeypatch.setattr(
        "autoimb.tracking.history.list_runs", lambda uri, experiment, limit: found[:limit]
    )
    return found


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_without_a_terminal_the_list_is_plain_lines(cli: Command, listed: list[PastRun]) -> None:
    found = cli("runs")
    assert (found.code, found.stderr) == (0, "")
    header, later, first, failed = found.stdout.splitlines()
    assert re.split(r"\s{2,}", header) == [
        "run", "started", "data", "metric", "score", "strategy", "decision", "trials", "duration",
        "status", "run folder",
    ]  # fmt: skip
    assert later.startswith("0b1c22d9  ")
    cells = re.split(r"\s{2,}", first)
    assert cells[0] == "4f7e5787"
    assert cells[2:] == [
        "customers.csv", "average_precision", "0.666 (0.612 to 0.702)",
        "lightgbm + smote and 11 more", "best f1: threshold 0.323", "41", "64 s", "finished",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", failed)[2:] == ["f1", "(failed)", "best f1", "failed"]


def test_a_program_gets_one_object(cli: Command, listed: list[PastRun]) -> None:
    found = cli("runs", "--json")
    assert [run["id"] for run in found.json["runs"]] == [run.id for run in listed]
    assert found.json["experiment"] == "autoimb"
    assert found.json["runs"][1] == json.loads(json.dumps(RUN.to_dict()))


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_list_that_ends_early_says_so(
    cli: Command, listed: list[PastRun], form: tuple[str, ...]
) -> None:
    found = cli("runs", "--limit", "2", *form)
    assert FAILED.id is not None
    assert FAILED.id[:8] not in found.stdout
    assert found.stderr == "note: there are older runs; --limit 20 shows more.\n"


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 100, 120, 150, 200, 300])
def test_in_a_terminal_the_list_is_a_table_that_fits(
    cli: Command, listed: list[PastRun], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = without_colours(cli("runs").stdout).splitlines()
    assert len(lines) == 1 + len(listed)
    assert all(len(line) <= columns for line in lines)
    names = re.split(r"\s{2,}", lines[0].strip())
    assert {"run", "score"} <= set(names)
    assert ("status" in names) is (columns >= 120)
    # what went unseen is told by what is seen
    assert "failed" in lines[-1]


def test_columns_leave_in_their_order_and_only_for_want_of_room() -> None:
    natural = natural_widths(as_columns([RUN, LATER, FAILED]))
    before = list(natural)
    for width in range(400, 31, -1):
        shown = fit_widths(natural, width)
        assert sum(shown.values()) + 2 * (len(shown) - 1) <= width
        assert all(size >= min(natural[name], CUT.get(name, 999)) for name, size in shown.items())
        gone = [name for name in LEFT_OUT if name not in shown]
        assert gone == list(LEFT_OUT[: len(gone)])
        assert set(shown) <= set(before)
        before = list(shown)
    assert before == ["run", "score"]


def show(one: PastRun, other: PastRun, width: int | None = None) -> str:
    found = compare_runs(("one", one), ("other", other))
    return "\n\n".join(map(str, compare_command.as_report(found, width)))


def rows_of(text: str) -> dict[str, list[str]]:
    """The rows of a comparison without broken cells, by what they begin with."""
    cells = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return {name: values for name, *values in cells if len(values) == 2}


def test_a_comparison_begins_with_what_was_asked_differently() -> None:
    text = show(RUN, LATER)
    asked, scores, outcome = (
        text.index(title) for title in ("Asked differently", "Scores", "What came of it")
    )
    assert asked < text.index("seed") < scores < text.index("average_precision") < outcome
    assert rows_of(text) == {
        "budget in seconds": ["60", "none"],
        "budget in trials": ["none", "40"],
        "seed": ["0", "1"],
        "average_precision": ["0.666 (0.612 to 0.702)", "0.801 (0.780 to 0.820)"],
        "status": ["finished", "finished"],
        "strategy": ["lightgbm + smote and 11 more", "logistic"],
        "decision": ["threshold 0.323", "threshold 0.5"],
        "calibrator": ["isotonic", "isotonic"],
        "calibration": ["ECE 0.0130, slope 0.94, intercept 0.04"] * 2,
        "trials": ["41 (2 failed, 9 ended early)"] * 2,
        "duration": ["64 s", "64 s"],
        "started": rows_of(text)["started"],
    }
    assert "other is ahead by 0.135" in text


def test_a_comparison_with_what_failed() -> None:
    text = show(RUN, FAILED)
    told = rows_of(text)
    assert told["metric"] == ["average_precision", "f1"]
    assert told["score"] == ["average_precision 0.666 (0.612 to 0.702)", "f1 -"]
    assert told["status"] == ["finished", "failed: DataError: no rows"]
    assert told["strategy"] == ["lightgbm + smote and 11 more", "-"]
    assert "not written down of one of them: data (sha256), data, rows, seed" in text
    assert "other has no headline (failed)" in text


def test_runs_that_were_asked_the_same_differ_in_nothing() -> None:
    assert "Asked differently\n  nothing\n" in show(RUN, replace(RUN, id="0" * 32))


@pytest.mark.parametrize("width", [80, 100])
def test_in_a_terminal_a_comparison_breaks_long_cells(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    long = replace(LATER, strategy=" + ".join(["balanced_random_forest"] * 6))
    text = show(RUN, long, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("balanced_random_forest") == 6


def test_a_missing_run_is_one_line(cli: Command, model_file: Path) -> None:
    for arguments in (("compare", ".", "nowhere"), ("replay", "nowhere")):
        found = cli(*arguments)
        assert (found.code, found.stdout) == (2, "")
        assert found.stderr == (
            "error: run 'nowhere' is neither a folder nor the beginning of an id (letters a to f, "
            "digits). `autoimb runs` lists the ids.\n"
        )


def test_without_a_store_there_is_nothing_to_list(cli: Command, tmp_path: Path) -> None:
    found = cli("runs")
    assert (found.code, found.stdout) == (1, "")
    assert found.stderr.startswith("error: no runs in sqlite:///")
    assert not (tmp_path / "autoimb_runs").exists()


@pytest.mark.slow
def test_from_the_fit_to_the_list_to_the_comparison_to_the_replay(
    cli: Command, loans_csv: Path, empty_store: bytes, tmp_path: Path
) -> None:
    (tmp_path / "autoimb_runs").mkdir()
    (tmp_path / "autoimb_runs" / "mlflow.db").write_bytes(empty_store)
    tracked: Any = [flag for flag in QUICK if flag not in ("--tracking-uri", "off")]
    for seed in ("0", "1"):
        found = cli("fit", loans_csv, *tracked, "--seed", seed)
        assert found.code == 0, found.stderr
    found = cli("runs")
    _, *lines = found.stdout.splitlines()
    later, first = (line.split()[0] for line in lines)
    folder = lines[1].split()[-1]
    assert (tmp_path / folder / "run.json").exists()
    compared = cli("compare", first, later)
    assert (compared.code, compared.stderr) == (0, "")
    assert rows_of(compared.stdout)["seed"] == ["0", "1"]
    told = cli("compare", folder, later, "--json").json
    assert told["differing"] == {"seed": [0, 1]}
    assert told["lead"]["difference"] >= 0
    replayed = cli("replay", first)
    assert replayed.code == 0, replayed.stderr
    assert "Identical" in replayed.stdout
