from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command, Outcome

import autoimb

HEADINGS = ("Rows of each class", "Findings", "What that suggests", "Measures (of class 'yes'")


@pytest.fixture
def table() -> pd.DataFrame:
    """90 rows of one class and 10 of another, with a leak and a column that never changes."""
    rng = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], [90, 10])
    return pd.DataFrame(
        {
            "leak": np.r_[np.arange(90), np.full(10, 100.5)],
            "age": rng.integers(18, 80, 100),
            "one": 1,
            "target": y,
        }
    )


@pytest.fixture
def data(table: pd.DataFrame, tmp_path: Path) -> Path:
    table.to_csv(tmp_path / "data.csv", index=False)
    return tmp_path / "data.csv"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def unfolded(found: Outcome) -> str:
    return " ".join(found.stdout.split())


def test_it_tells_classes_findings_readings_and_measures(cli: Command, data: Path) -> None:
    found = cli("profile", data, "--target", "target")
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout.startswith(
        "100 rows, 2 features (0 categorical, 0.0% of the cells missing)"
    )
    places = [found.stdout.index(f"\n\n{heading}") for heading in HEADINGS]
    assert places == sorted(places)
    for text in (
        "no 90 90.00%",
        "yes 10 10.00%",
        "critical: Column 'leak' alone tells class 'yes' from the rest with a ROC AUC of 1.000.",
        "warning: Class 'yes' has 10 rows, fewer than 50.",
        "note: Column 'one' is always the same. It is left out.",
        "rules of thumb",
        "With 10 positives a 95 % interval reaches",
        "density_corrected_overlap",
    ):
        assert text in unfolded(found)


def test_the_worst_finding_is_told_first(cli: Command, data: Path) -> None:
    found = unfolded(cli("profile", data))
    assert found.index("critical:") < found.index("warning:") < found.index("note: Column")


def test_a_guessed_target_is_noted_apart_from_the_output(cli: Command, data: Path) -> None:
    found = cli("profile", data)
    assert found.stderr == "note: target 'target' assumed; --target NAME chooses another.\n"
    assert found.stdout == cli("profile", data, "--target", "target").stdout


def test_json_on_stdout_is_what_the_library_gives(cli: Command, data: Path) -> None:
    found = cli("profile", data, "--target", "target", "--json", "-")
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout.count("\n") == 1
    assert found.json == json.loads(json.dumps(autoimb.profile(data, target="target").to_dict()))


def test_notes_do_not_spoil_json_on_stdout(
    cli: Command, table: pd.DataFrame, tmp_path: Path
) -> None:
    table.loc[[3, 4], "target"] = None
    table.to_csv(tmp_path / "data.csv", index=False)
    found = cli("profile", "data.csv", "--json", "-", "--html", "page.html")
    assert found.json["n_rows"] == 98
    assert "2 rows without a label in 'target' left out." in found.stderr
    assert found.stdout.count("\n") == 1


def test_json_into_a_file(cli: Command, data: Path, tmp_path: Path) -> None:
    plain = cli("profile", data, "--target", "target")
    found = cli("profile", data, "--target", "target", "--json", "out.json")
    assert (found.code, found.stdout) == (0, plain.stdout)
    assert found.stderr == "written: out.json\n"
    on_stdout = cli("profile", data, "--target", "target", "--json", "-")
    assert json.loads((tmp_path / "out.json").read_text()) == on_stdout.json


def test_html_into_a_file(cli: Command, data: Path, tmp_path: Path) -> None:
    found = cli("profile", data, "--target", "target", "--html", "page.html")
    assert (found.code, found.stderr) == (0, "written: page.html\n")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "leak" in page
    assert "<img" in page or "<svg" in page
    for outside in ('src="http', "src='http", 'href="http', "@import", "url(http"):
        assert outside not in page


def test_both_files_at_once(cli: Command, data: Path, tmp_path: Path) -> None:
    found = cli("profile", data, "--target", "target", "--json", "a.json", "--html", "b.html")
    assert (found.code, found.stderr) == (0, "written: a.json\nwritten: b.html\n")
    assert names(tmp_path) == ["a.json", "b.html", "data.csv"]


def test_files_are_as_readable_as_any_other(cli: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    cli("profile", data, "--json", "out.json")
    assert (tmp_path / "out.json").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(("option", "name"), [("--json", "out.json"), ("--html", "page.html")])
def test_a_file_that_is_there_is_kept(
    cli: Command, data: Path, tmp_path: Path, option: str, name: str
) -> None:
    for number, text in enumerate(["first", "second"], start=1):
        (tmp_path / name).write_text(text)
        found = cli("profile", data, option, name)
        assert found.code == 0
        assert f"note: {name} was there already; it is kept as {name}.{number}.\n" in found.stderr
        assert (tmp_path / f"{name}.{number}").read_text() == text
        assert (tmp_path / name).read_text("utf-8") != text


def test_the_data_are_kept_when_named_as_output(cli: Command, data: Path, tmp_path: Path) -> None:
    before = data.read_text()
    found = cli("profile", data, "--json", "data.csv")
    assert found.code == 0
    assert (tmp_path / "data.csv.1").read_text() == before
    assert json.loads(data.read_text())["n_rows"] == 100


UNWRITABLE = {
    "no such folder": ("nowhere/out", "{}: name a file in an existing folder."),
    "a folder": (".", "{}: name a file in an existing folder."),
    "below a file": ("data.csv/out", "{}: name a file in an existing folder."),
    "a pipe": ("pipe", "{} is no regular file. Name another one."),
}


@pytest.mark.parametrize("option", ["--json", "--html"])
@pytest.mark.parametrize(("place", "message"), UNWRITABLE.values(), ids=list(UNWRITABLE))
def test_an_output_that_cannot_be_is_refused_before_the_work(
    cli: Command,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    place: str,
    message: str,
) -> None:
    def work(*arguments: object, **options: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr("autoimb.data.problem.read_problem", work)
    os.mkfifo(tmp_path / "pipe")
    before = names(tmp_path)
    found = cli("profile", data, option, place)
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == f"error: {option} {message.format(place)}\n"
    assert names(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_folder_that_may_not_be_written(
    cli: Command, data: Path, tmp_path: Path, option: str
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    found = cli("profile", data, option, "closed/out")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == f"error: {option} closed/out cannot be written (Permission denied).\n"
    assert names(tmp_path / "closed") == []


def test_a_file_that_may_not_be_written(
    cli: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("autoimb.cli.writing.NamedTemporaryFile", refuse)
    found = cli("profile", data, "--json", "out.json")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr.startswith("error: --json out.json cannot be written (Permission denied).")
    assert found.stderr.count("\n") == 1
    assert names(tmp_path) == ["data.csv"]


def test_one_bad_output_spoils_no_good_one(cli: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text("precious")
    found = cli("profile", data, "--json", "good.json", "--html", "nowhere/page.html")
    assert (found.code, found.stdout) == (2, "")
    assert names(tmp_path) == ["data.csv", "good.json"]
    assert (tmp_path / "good.json").read_text() == "precious"


FAILURES: dict[str, tuple[list[str], str]] = {
    "unknown target": (
        ["data.csv", "--target", "targt"],
        "data.csv: no column 'targt'; did you mean 'target'?",
    ),
    "no such file": (["dat.csv"], "dat.csv: no such file. Did you mean 'data.csv'?"),
    "constant target": (
        ["data.csv", "--target", "one"],
        "data.csv: target 'one' is constant: every row is 1. "
        "Choose another --target, or add rows of other classes.",
    ),
    "continuous target": (
        ["data.csv", "--target", "leak"],
        "data.csv: target 'leak' is continuous: 91 distinct numbers. "
        "Choose a class column, or bin it.",
    ),
}


@pytest.mark.parametrize("there", [None, "precious"])
@pytest.mark.parametrize(("arguments", "message"), FAILURES.values(), ids=list(FAILURES))
def test_data_that_fail_leave_no_file_behind(
    cli: Command,
    data: Path,
    tmp_path: Path,
    arguments: list[str],
    message: str,
    there: str | None,
) -> None:
    if there:
        (tmp_path / "out.json").write_text(there)
        (tmp_path / "page.html").write_text(there)
    before = names(tmp_path)
    found = cli("profile", *arguments, "--json", "out.json", "--html", "page.html")
    assert (found.code, found.stdout, found.stderr) == (1, "", f"error: {message}\n")
    assert names(tmp_path) == before
    assert not there or (tmp_path / "out.json").read_text() == there
    assert not there or (tmp_path / "page.html").read_text() == there


def test_a_crash_while_a_page_is_drawn_leaves_no_file_behind(
    cli: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object, **options: object) -> None:
        raise RuntimeError("no font")

    monkeypatch.setattr("autoimb.profiling.page.render_page", crash)
    found = cli("profile", data, "--json", "out.json", "--html", "page.html")
    assert found.code == 1
    assert names(tmp_path) == ["data.csv"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing argument"),
        (["data.csv", "--json"], "Option '--json' requires an argument"),
        (["data.csv", "--html"], "Option '--html' requires an argument"),
        (["data.csv", "--tarket", "y"], "No such option: --tarket"),
    ],
)
def test_wrong_usage(cli: Command, data: Path, arguments: list[str], told: str) -> None:
    found = cli("profile", *arguments)
    assert (found.code, found.stdout) == (2, "")
    assert told in found.stderr


def test_a_page_is_not_written_to_a_file_named_like_stdout(
    cli: Command, data: Path, tmp_path: Path
) -> None:
    cli("profile", data, "--html", "-")
    assert names(tmp_path) == ["data.csv"]


HARD: dict[str, dict[str, Any]] = {
    "all rows identical": {"x": [1] * 40, "z": ["a"] * 40, "target": ["no"] * 30 + ["yes"] * 10},
    "nothing filled": {"x": [None] * 40, "target": ["no"] * 30 + ["yes"] * 10},
    "one row of a class": {"x": range(40), "target": ["no"] * 39 + ["yes"]},
    "one row of each class": {"x": [1, 2], "target": ["no", "yes"]},
    "50 classes": {"x": range(200), "target": [f"c{i % 50}" for i in range(200)]},
}


@pytest.mark.parametrize("columns", HARD.values(), ids=list(HARD))
def test_hard_tables_are_told_too(cli: Command, tmp_path: Path, columns: dict[str, Any]) -> None:
    pd.DataFrame(columns).to_csv(tmp_path / "data.csv", index=False)
    found = cli("profile", "data.csv", "--json", "a.json", "--html", "b.html")
    assert found.code == 0, found.stderr
    assert "nan" not in unfolded(found).replace(",", " ").split()
    plain = (tmp_path / "a.json").read_text()
    assert "NaN" not in plain
    assert json.loads(plain)["n_rows"] == len(columns["target"])


def test_what_is_not_defined_is_told_with_the_reason(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,target\n" + "1,no\n" * 30 + "1,yes\n" * 10)
    found = cli("profile", "data.csv")
    assert found.code == 0
    assert "kdn not defined: no column tells rows apart" in unfolded(found)
    assert "note: Column 'x' is always the same. It is left out." in unfolded(found)


def test_many_classes_are_not_all_listed(cli: Command, tmp_path: Path) -> None:
    sizes = range(40, 10, -1)
    y = [f"class{i}" for i, n in enumerate(sizes) for _ in range(n)]
    pd.DataFrame({"x": range(len(y)), "target": y}).to_csv(tmp_path / "data.csv", index=False)
    found = cli("profile", "data.csv")
    assert "… 10 more …" in found.stdout
    assert "class0 " in found.stdout
    assert "class29 " in found.stdout
    assert "class15 " not in found.stdout.partition("Findings")[0]


@pytest.mark.parametrize("n_before", [0, 3])
def test_rows_are_named_by_their_place_in_the_file(
    cli: Command, table: pd.DataFrame, tmp_path: Path, n_before: int
) -> None:
    table.loc[95, ["leak", "age"]] = table.loc[0, ["leak", "age"]]
    unlabelled = table.head(n_before).assign(target=None)
    pd.concat([unlabelled, table]).to_csv(tmp_path / "data.csv", index=False)
    found = unfolded(cli("profile", "data.csv"))
    assert f"Rows (counted from 0): {n_before}, {n_before + 95}." in found


def test_of_many_rows_the_first_are_named(cli: Command, tmp_path: Path) -> None:
    table = pd.DataFrame({"x": [1, 2] * 30, "target": ["no"] * 40 + ["yes"] * 20})
    table.to_csv(tmp_path / "data.csv", index=False)
    found = unfolded(cli("profile", "data.csv"))
    assert "Rows (counted from 0): 0, 1, 2, 3, 4, 5, 6, 7 and 52 more." in found
    (finding,) = [
        finding
        for finding in cli("profile", "data.csv", "--json", "-").json["findings"]
        if finding["check"] == "label_conflicts"
    ]
    assert finding["rows"] == [*range(60)]


def test_nothing_found_is_said(cli: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], [540, 60])
    clean = pd.DataFrame({"a": rng.normal(size=600) + (y == "yes"), "target": y})
    clean.to_csv(tmp_path / "data.csv", index=False)
    assert "\n\nFindings\n  none\n\n" in cli("profile", "data.csv").stdout


@pytest.mark.parametrize("name", ["data.tsv", "data.csv.gz", "data.parquet"])
def test_every_format_gives_the_same(
    cli: Command, table: pd.DataFrame, data: Path, tmp_path: Path, name: str
) -> None:
    if name.endswith("parquet"):
        table.to_parquet(tmp_path / name)
    else:
        table.to_csv(tmp_path / name, index=False, sep="\t" if "tsv" in name else ",")
    assert cli("profile", name).stdout == cli("profile", data).stdout
