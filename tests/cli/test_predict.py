from __future__ import annotations

import io
import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import Command

import autoimb
from autoimb.data import reading

pytestmark = pytest.mark.usefixtures("few_resamples")

HEADER = "label,probability_no,probability_yes"


@pytest.fixture
def features(loans: pd.DataFrame) -> pd.DataFrame:
    return loans.drop(columns="default")


def in_pieces_of(n_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small = partial(reading.read_chunks, n_rows=n_rows)
    monkeypatch.setattr(reading, "read_chunks", small)


def test_predictions_are_the_models(
    cli: Command, features: pd.DataFrame, model_file: Path, tmp_path: Path
) -> None:
    features.to_csv(tmp_path / "new.csv", index=False)
    found = cli("predict", model_file, "new.csv")
    assert (found.code, found.stderr) == (0, "")
    table = pd.read_csv(io.StringIO(found.stdout))
    model = autoimb.load(model_file)
    assert list(table.columns) == HEADER.split(",")
    assert table["label"].tolist() == model.predict(features).tolist()
    np.testing.assert_allclose(table.iloc[:, 1:], model.predict_proba(features), rtol=1e-12)


def test_out_takes_what_would_be_printed(
    cli: Command, loans_csv: Path, model_file: Path, tmp_path: Path
) -> None:
    printed = cli("predict", model_file, loans_csv)
    written = cli("predict", model_file, loans_csv, "--out", "out.csv")
    assert (written.code, written.stdout) == (0, "")
    assert written.stderr == "160 rows predicted: out.csv\n"
    assert (tmp_path / "out.csv").read_text() == printed.stdout


CHANGES = {
    "shuffled": lambda table: table[table.columns[::-1]],
    "more columns": lambda table: table.assign(comment="x, y", default="no"),
    "truth values as text": lambda table: table.assign(member=table["member"].map(str).str.upper()),
    "numbers as text": lambda table: table.assign(age=table["age"].map("{:.2f}".format)),
    "other words for missing": lambda table: table.assign(city=table["city"].fillna("?")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_changes_nothing(
    cli: Command, features: pd.DataFrame, model_file: Path, tmp_path: Path, change: object
) -> None:
    assert callable(change)
    features.to_csv(tmp_path / "plain.csv", index=False)
    change(features).to_csv(tmp_path / "changed.csv", index=False)
    plain = cli("predict", model_file, "plain.csv")
    assert cli("predict", model_file, "changed.csv") == plain


@pytest.mark.parametrize("n_rows", [1, 7, 40])
def test_pieces_give_what_the_whole_gives(
    cli: Command,
    loans: pd.DataFrame,
    model_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n_rows: int,
) -> None:
    loans[:41].to_csv(tmp_path / "few.csv", index=False)
    whole = pd.read_csv(io.StringIO(cli("predict", model_file, "few.csv").stdout))
    assert len(whole) == 41
    in_pieces_of(n_rows, monkeypatch)
    pieces = cli("predict", model_file, "few.csv")
    # a product of matrices may differ in its last digit with their number of rows
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(pieces.stdout)), whole, rtol=1e-12)
    assert pieces.stdout.count("label") == 1


@pytest.mark.parametrize("name", ["new.tsv", "new.csv.gz", "new.parquet"])
def test_every_format_gives_the_same(
    cli: Command,
    features: pd.DataFrame,
    loans_csv: Path,
    model_file: Path,
    tmp_path: Path,
    name: str,
) -> None:
    if name.endswith("parquet"):
        features.to_parquet(tmp_path / name)
    else:
        features.to_csv(tmp_path / name, index=False, sep="\t" if "tsv" in name else ",")
    plain = cli("predict", model_file, loans_csv)
    assert cli("predict", model_file, name).stdout == plain.stdout


def test_unseen_categories_are_told_once_and_count_as_missing(
    cli: Command,
    features: pd.DataFrame,
    model_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_pieces_of(5, monkeypatch)
    cities = ["Bonn", "Kiel", "Pisa", "Graz"] * 40
    features.assign(city=cities).to_csv(tmp_path / "moved.csv", index=False)
    features.assign(city=None).to_csv(tmp_path / "nowhere.csv", index=False)
    found = cli("predict", model_file, "moved.csv")
    assert found.code == 0
    assert found.stderr == (
        "note: column 'city': 4 categories that training never saw "
        "('Bonn', 'Graz', 'Kiel', …) count as missing.\n"
    )
    assert found.stdout == cli("predict", model_file, "nowhere.csv").stdout


FAULTS = {
    "missing column": (
        lambda table: table.drop(columns="income").rename(columns={"city": "citi"}),
        "column 'income' (and 1 more) is missing from the table; "
        "the model needs 5 columns by name, choose one of: age, citi, opened, member",
    ),
    "nearly named": (
        lambda table: table.rename(columns={"city": "citi"}),
        "column 'city' is missing from the table; "
        "the model needs 5 columns by name, did you mean 'citi'?",
    ),
    "text for a number": (
        lambda table: table.assign(age=["old", *table["age"][1:]]),
        "column 'age', row 0: found 'old' where training had a number (1 such cells). "
        "Correct the cells, or leave them empty.",
    ),
    "text for a date": (
        lambda table: table.assign(opened=["soon", *table["opened"][1:]]),
        "column 'opened', row 0: found 'soon' where training had a date (1 such cells). "
        "Correct the cells, or leave them empty.",
    ),
}


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=list(FAULTS))
def test_a_table_that_does_not_fit_the_model(
    cli: Command,
    features: pd.DataFrame,
    model_file: Path,
    tmp_path: Path,
    change: object,
    message: str,
) -> None:
    assert callable(change)
    change(features).to_csv(tmp_path / "new.csv", index=False)
    found = cli("predict", model_file, "new.csv")
    assert (found.code, found.stdout, found.stderr) == (1, "", f"error: {message}\n")


@pytest.mark.parametrize("there", [None, "precious\n"])
def test_no_half_written_file_is_left(
    cli: Command,
    features: pd.DataFrame,
    model_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: str | None,
) -> None:
    in_pieces_of(10, monkeypatch)
    features.assign(age=[*features["age"][:-1], "old"]).to_csv(tmp_path / "new.csv", index=False)
    if there:
        (tmp_path / "out.csv").write_text(there)
    before = sorted(path.name for path in tmp_path.iterdir())
    found = cli("predict", model_file, "new.csv", "--out", "out.csv")
    assert found.code == 1
    assert "row 159: found 'old'" in found.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert not there or (tmp_path / "out.csv").read_text() == there


def test_a_file_that_is_there_is_kept(
    cli: Command, loans_csv: Path, model_file: Path, tmp_path: Path
) -> None:
    for number, text in enumerate(["first", "second"], start=1):
        (tmp_path / "out.csv").write_text(text)
        found = cli("predict", model_file, loans_csv, "--out", "out.csv")
        assert found.code == 0
        assert f"note: out.csv was there already; it is kept as out.csv.{number}." in found.stderr
        assert (tmp_path / f"out.csv.{number}").read_text() == text
        assert (tmp_path / "out.csv").read_text().startswith(HEADER)


def test_a_neighbour_of_the_output_is_left_alone(
    cli: Command, loans_csv: Path, model_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "out.csv.part").write_text("precious")
    assert cli("predict", model_file, loans_csv, "--out", "out.csv").code == 0
    assert (tmp_path / "out.csv.part").read_text() == "precious"


@pytest.mark.parametrize("out", [".", "nowhere/out.csv"])
def test_an_output_that_cannot_be(
    cli: Command, loans_csv: Path, model_file: Path, out: str
) -> None:
    found = cli("predict", model_file, loans_csv, "--out", out)
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == f"error: --out {out}: name a file in an existing folder.\n"


@pytest.mark.parametrize("command", ["predict", "fit"])
def test_a_device_is_not_renamed(
    cli: Command, loans_csv: Path, model_file: Path, tmp_path: Path, command: str
) -> None:
    """As with --out /dev/null: set aside as a file, the machine would lack it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    first = ("predict", model_file) if command == "predict" else ("fit",)
    quick = (
        ()
        if command == "predict"
        else ("--trials", "1", "--executor", "in_process", "--folds", "2")
    )
    off = () if command == "predict" else ("--tracking-uri", "off")
    cli(*first, loans_csv, *quick, *off, "--out", pipe)
    assert pipe.is_fifo()
    assert not (tmp_path / "pipe.1").exists()


@pytest.mark.parametrize(
    ("no", "yes"),
    [("007", "042"), ("0", "1"), ("0.0", "1.0"), ("FALSE", "TRUE"), ("N/A", "ok"), ("-1", "+1")],
)
def test_labels_are_spelled_as_in_the_file(
    quick_fit: Command,
    cli: Command,
    loans: pd.DataFrame,
    tmp_path: Path,
    no: str,
    yes: str,
) -> None:
    spelled = loans["default"].map({"no": no, "yes": yes})
    loans.assign(default=spelled).to_csv(tmp_path / "coded.csv", index=False)
    run = quick_fit("coded.csv", "--trials", "1", "--json").json
    found = cli("predict", run["model"], "coded.csv").stdout.splitlines()
    assert set(found[0].split(",")) == {"label", f"probability_{no}", f"probability_{yes}"}
    assert {line.partition(",")[0] for line in found[1:]} == {no, yes}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.csv", "nothing.csv: no such file. Check the path."),
        ("header.csv", "header.csv: a header and no rows. Give a file with at least one row."),
    ],
)
def test_data_that_cannot_be_read(
    cli: Command, model_file: Path, tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "header.csv").write_text("age,income,city,opened,member\n")
    found = cli("predict", model_file, name, "--out", "out.csv")
    assert (found.code, found.stdout, found.stderr) == (1, "", f"error: {message}\n")
    assert not list(tmp_path.glob("out.csv*"))
