"""What is wrong with the input: one line each that says where, what was found and what to do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from command_line import Command

pytestmark = pytest.mark.usefixtures("few_resamples")

HEAD = "age,city,default\n"
ROWS = "31,Rome,no\n42,Oslo,yes\n27,Rome,no\n58,Oslo,no\n35,Lima,yes\n44,Rome,no\n" * 3


def table(*columns: tuple[str, list[object]]) -> bytes:
    return pd.DataFrame(dict(columns)).to_csv(index=False).encode()


NUMBERS: list[object] = list(range(40))
CLASSES: list[object] = ["no"] * 30 + ["yes"] * 10

FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "data.csv: empty. Give a file with a header line and rows."),
    "header only": (
        HEAD.encode(),
        "data.csv: a header and no rows. Give a file with at least one row.",
    ),
    "one column": (
        b"default\nyes\nno\n",
        "data.csv: only one column, 'default', found with ','; tried ',' ';' tab '|'. "
        "Separate the columns by one of these.",
    ),
    "doubled names": (
        b"age,age,default\n1,2,yes\n3,4,no\n",
        "data.csv: column names occur more than once: 'age'. Give each column a name of its own.",
    ),
    "not UTF-8": (
        HEAD.encode() + "31,K\xf6ln,no\n".encode("latin1"),
        "data.csv: line 2 is not UTF-8 (byte 0xf6 at offset 21). "
        "Convert the file: iconv -f latin1 -t utf-8.",
    ),
    "a row too long": (
        (HEAD + ROWS + "31,Rome,no,really\n").encode(),
        "data.csv: line 20 has 4 fields where the header has 3. "
        "Quote fields that hold the separator, or repair the line.",
    ),
    "a row too short": (
        (HEAD + "31,Rome\n" + ROWS).encode(),
        "data.csv: line 2 has 2 fields where the header has 3. "
        "Add the missing fields, or remove the line.",
    ),
    "constant target": (
        table(("age", NUMBERS), ("target", ["no"] * 40)),
        "data.csv: target 'target' is constant: every row is 'no'. "
        "Choose another --target, or add rows of other classes.",
    ),
    "empty target": (
        table(("age", NUMBERS), ("target", [None] * 40)),
        "data.csv: every cell of target 'target' is empty. Fill it in.",
    ),
    "continuous target that was guessed": (
        table(("age", NUMBERS), ("price", [n + 0.5 for n in range(40)])),
        "data.csv: target 'price' is continuous: 40 distinct numbers. "
        "Name the class column with --target.",
    ),
    "last column of prose": (
        table(("age", [*range(60)]), ("remark", [f"remark {n}" for n in range(60)])),
        "data.csv: no column is named like a target, and the last one, 'remark', has "
        "60 distinct values. Name the class column with --target.",
    ),
    "a class of one row": (
        table(("age", NUMBERS), ("target", ["no"] * 39 + ["yes"])),
        "target 'target' has 1 row of class 'yes'; validation needs at least 2 of each. "
        "Collect more, or leave that class out.",
    ),
    "nothing to learn from": (
        table(("one", [1] * 40), ("gap", [None] * 40), ("target", CLASSES)),
        "no column can tell the classes apart ('one': always the same, 'gap': always missing). "
        "Add informative columns.",
    ),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=list(FILES))
def test_files(quick_fit: Command, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    found = quick_fit("data.csv")
    assert (found.code, found.stdout) == (1, "")
    assert found.stderr == f"error: {message}\n"


FLAGS: dict[str, tuple[list[str], int, str]] = {
    "no such target": (
        ["--target", "defautl"],
        1,
        "data.csv: no column 'defautl'; did you mean 'default'?",
    ),
    "continuous target": (
        ["--target", "income"],
        1,
        "data.csv: target 'income' is continuous: 160 distinct numbers. "
        "Choose a class column, or bin it.",
    ),
    "positive label": (
        ["--positive", "maybe"],
        1,
        "positive class 'maybe' does not occur in the target; it has 'no', 'yes'.",
    ),
    "dropped column": (
        ["--drop", "citi"],
        1,
        "data.csv: --drop 'citi': no such feature column; did you mean 'city'?",
    ),
    "dropped target": (
        ["--drop", "default"],
        1,
        "data.csv: --drop 'default': no such feature column; "
        "choose one of: age, income, city, opened, member",
    ),
    "group column": (
        ["--groups", "citi"],
        1,
        "data.csv: --groups 'citi': no such column; did you mean 'city'?",
    ),
    "time column": (
        ["--time", "when"],
        1,
        "data.csv: --time 'when': no such column; choose one of: age, income, city, opened, member",
    ),
    "group column that is the target": (
        ["--groups", "default"],
        1,
        "data.csv: --groups 'default' is the target; a column has one role. Name another.",
    ),
    "time column that is dropped": (
        ["--time", "opened", "--drop", "opened"],
        1,
        "data.csv: --time 'opened' is dropped; a column has one role. Name another.",
    ),
    "time column that is the cost column": (
        ["--time", "income", "--cost-fp", "1", "--cost-column", "income"],
        1,
        "data.csv: --time 'income' is the cost column; a column has one role. Name another.",
    ),
    "time column that is the group column": (
        ["--time", "opened", "--groups", "opened"],
        1,
        "data.csv: --time 'opened' is that of --groups; a column has one role. Name another.",
    ),
    "time column of text": (
        ["--time", "city"],
        1,
        "time column 'city': 160 of 160 cells are missing or neither a date nor a number, the "
        "first in row 0: 'Oslo'. Fill or correct them, or drop those rows.",
    ),
    "metric": (["--metric", "f11"], 2, "metric 'f11' does not exist; did you mean 'f1'?"),
    "space": (["--space", "fasst"], 2, "search space 'fasst' does not exist; did you mean 'fast'?"),
    "space file": (
        ["--space", "own.toml"],
        2,
        "search space file own.toml does not exist. Check the path.",
    ),
    "key of a space": (
        ["--space", "faulty.toml"],
        2,
        "faulty.toml: [model.lr] CC: sklearn.linear_model.LogisticRegression has no such "
        "parameter; did you mean 'C'?",
    ),
    "no time": (
        ["--budget", "0s"],
        2,
        "budget must be a positive duration such as 60s, 5m or 1h, but got '0s'.",
    ),
    "negative time": (
        ["--budget=-5s"],
        2,
        "budget must be a positive duration such as 60s, 5m or 1h, but got '-5s'.",
    ),
    "empty time": (
        ["--budget", ""],
        2,
        "budget must be a positive duration such as 60s, 5m or 1h, but got ''.",
    ),
    "no trials": (["--trials", "0"], 2, "n_trials must be at least 1, but got 0."),
    "negative trials": (["--trials", "-3"], 2, "n_trials must be at least 1, but got -3."),
    "one fold": (["--folds", "1"], 2, "n_folds must be at least 2, but got 1."),
    "no jobs": (
        ["--jobs", "0"],
        2,
        "n_jobs must be positive, or -1 for every core, but got 0.",
    ),
    "negative seed": (
        ["--seed", "-1"],
        2,
        "random_state must be from 0 to 4294967295, but got -1.",
    ),
    "output without a folder": (
        ["--out", "nowhere/model.pkl"],
        2,
        "--out nowhere/model.pkl: folder nowhere does not exist. Create it first.",
    ),
    "output is a folder": (
        ["--out", "."],
        2,
        "--out . is a folder. Name a file in it, such as model.pkl.",
    ),
    "run folder is a file": (
        ["--run-dir", "data.csv"],
        2,
        "folder data.csv cannot be written (File exists). Choose another --run-dir.",
    ),
    "run folder below a file": (
        ["--run-dir", "data.csv/run"],
        2,
        "folder data.csv/run cannot be written (Not a directory). Choose another --run-dir.",
    ),
}


@pytest.mark.parametrize(("flags", "code", "message"), FLAGS.values(), ids=list(FLAGS))
def test_flags(
    quick_fit: Command,
    loans: pd.DataFrame,
    tmp_path: Path,
    flags: list[str],
    code: int,
    message: str,
) -> None:
    loans.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "faulty.toml").write_text(
        '[model.lr]\nclass = "sklearn.linear_model.LogisticRegression"\nCC = 1.0\n'
    )
    before = sorted(tmp_path.iterdir())
    found = quick_fit("data.csv", *flags)
    assert (found.code, found.stdout) == (code, "")
    assert found.stderr == f"error: {message}\n"
    # it was found before the search: nothing is left behind
    assert sorted(tmp_path.iterdir()) == before


PATHS = {
    "missing": ("nothing.csv", "nothing.csv: no such file. Check the path."),
    "nearly right": ("dat.csv", "dat.csv: no such file. Did you mean 'data.csv'?"),
    "folder": (".", ".: is a folder. Give a file in it."),
    "extension": (
        "data.xlsx",
        "data.xlsx: extension '.xlsx'. Use one of: .csv .csv.gz .parquet .pq .tsv .tsv.gz .txt.",
    ),
}


@pytest.mark.parametrize("command", ["fit", "profile", "evaluate", "predict"])
@pytest.mark.parametrize(("path", "message"), PATHS.values(), ids=list(PATHS))
def test_data_that_is_not_there(
    cli: Command, model_file: Path, tmp_path: Path, command: str, path: str, message: str
) -> None:
    for name in ("data.csv", "data.xlsx"):
        (tmp_path / name).write_text(HEAD + ROWS)
    model = [model_file] if command in ("evaluate", "predict") else []
    found = cli(command, *model, path)
    assert (found.code, found.stdout, found.stderr) == (1, "", f"error: {message}\n")


def test_a_file_that_may_not_be_read(
    quick_fit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.csv").write_text(HEAD + ROWS)
    whole = Path.open

    def refuse(path: Path, *arguments: object, **options: object) -> object:
        if path.name == "data.csv":
            raise PermissionError(13, "Permission denied")
        return whole(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    found = quick_fit("data.csv")
    assert (found.code, found.stdout) == (1, "")
    assert found.stderr == (
        "error: data.csv: cannot be read (Permission denied). Check the file and its permissions.\n"
    )


def test_an_output_that_may_not_be_written_is_found_before_the_search(
    quick_fit: Command, loans_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("autoimb.manifest.tempfile.NamedTemporaryFile", refuse)
    found = quick_fit("loans.csv", "--out", "model.pkl")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == (
        "error: --out model.pkl cannot be written (Permission denied). Choose another place.\n"
    )


NOTES: dict[str, tuple[bytes, list[str], str]] = {
    "fewer rows than folds": (
        table(("age", NUMBERS), ("target", ["no"] * 37 + ["yes"] * 3)),
        ["--folds", "5"],
        "3 folds instead of 5: class 'yes' has only 3 rows.",
    ),
    "missing target cells": (
        table(("age", NUMBERS), ("target", [*CLASSES[:38], None, "  "])),
        [],
        "2 rows without a label in 'target' left out.",
    ),
    "constant and empty columns": (
        table(("age", NUMBERS), ("one", [1] * 40), ("gap", [None] * 40), ("target", CLASSES)),
        [],
        "left out 'one' (always the same), 'gap' (always missing).",
    ),
}


@pytest.mark.parametrize(("content", "flags", "note"), NOTES.values(), ids=list(NOTES))
def test_what_is_only_noted(
    quick_fit: Command, tmp_path: Path, content: bytes, flags: list[str], note: str
) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    found = quick_fit("data.csv", *flags)
    assert found.code == 0
    assert f"note: {note}\n" in found.stdout


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "absent.pkl",
            None,
            "model file absent.pkl does not exist; did you mean 'present.pkl'?",
        ),
        (
            "present.pkl",
            b"pickle",
            "present.pkl: its manifest present.manifest.json is not beside it. Copy both files.",
        ),
    ],
)
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_model_that_is_not_there(
    cli: Command,
    loans_csv: Path,
    tmp_path: Path,
    command: str,
    name: str,
    content: bytes | None,
    message: str,
) -> None:
    (tmp_path / "present.pkl").write_bytes(content or b"another")
    found = cli(command, name, loans_csv)
    assert (found.code, found.stdout, found.stderr) == (1, "", f"error: {message}\n")
