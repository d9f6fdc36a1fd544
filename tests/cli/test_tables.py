"""Tables and sections: plain where nothing is drawn, and what a terminal makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import Command

from autoimb.cli.tables import Part, Section, Table, print_report

TABLE = Table(
    ("class", "rows", ""), [("yes", "24", "passed"), ("no", "1,136", "failed")], {1}, marks=2
)
LONG = "warning: " + "a word and " * 20 + "the end"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Have stdout count as a terminal 60 characters wide."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    return monkeypatch


def printed(capsys: pytest.CaptureFixture[str], *parts: Part) -> str:
    print_report(parts)
    return capsys.readouterr().out


def without_codes(text: str) -> list[str]:
    return [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()]


def test_without_a_terminal_all_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "first", "", Section("Classes", [TABLE, "  as known"]), LONG)
    assert found.split("\n\n") == [
        "first",
        "Classes\nclass   rows\nyes       24  passed\nno     1,136  failed\n  as known",
        f"{LONG}\n",
    ]


def test_a_terminal_shows_the_same_lines(
    capsys: pytest.CaptureFixture[str], terminal: pytest.MonkeyPatch
) -> None:
    parts = "first", Section("Classes", [TABLE, "  as known"])
    drawn = printed(capsys, *parts)
    assert "\x1b[1mClasses\x1b[0m" in drawn
    assert "\x1b[32mpassed\x1b[0m" in drawn
    terminal.setenv("TERM", "dumb")
    dumb = printed(capsys, *parts)
    terminal.delenv("FORCE_COLOR")
    plain = printed(capsys, *parts)
    assert without_codes(drawn) == without_codes(dumb) == plain.splitlines()


def test_without_colour_titles_are_bold_all_the_same(
    capsys: pytest.CaptureFixture[str], terminal: pytest.MonkeyPatch
) -> None:
    terminal.setenv("NO_COLOR", "1")
    drawn = printed(capsys, Section("Classes", [TABLE, LONG]))
    assert set(re.findall(r"\x1b\[([\d;]*)m", drawn)) == {"1", "0"}


@pytest.mark.usefixtures("terminal")
def test_prose_and_cells_are_broken_and_commands_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table(("strategy", "score"), [(" + ".join(["random_under"] * 6), "0.7")], {1})
    command = "  autoimb predict " + "long/" * 20
    found = printed(capsys, LONG, table, Section("", [command], is_verbatim=True))
    prose, cells, verbatim = "\n".join(without_codes(found)).split("\n\n")
    assert max(map(len, [*prose.splitlines(), *cells.splitlines()])) <= 60
    assert prose.replace("\n ", "") == LONG
    assert cells.count("random_under") == 6
    assert verbatim == command


HOSTILE = ["[red]no[/red] :boom:", "\x1b[31mno", "no\nway", "日本語", "[/]"]


@pytest.mark.parametrize("is_terminal", [False, True])
def test_what_comes_from_data_is_no_markup(
    capsys: pytest.CaptureFixture[str],
    terminal: pytest.MonkeyPatch,
    is_terminal: bool,
) -> None:
    if not is_terminal:
        terminal.delenv("FORCE_COLOR")
    table = Table(("class", "rows"), [(name, "1") for name in HOSTILE], {1}, marks=0)
    found = printed(capsys, table, "[bold]note[/bold]")
    assert without_codes(found) == [
        "class                 rows",
        "[red]no[/red] :boom:     1",
        r"\x1b[31mno               1",
        r"no\nway                  1",
        "日本語                   1",
        "[/]                      1",
        "",
        "[bold]note[/bold]",
    ]
    assert "\x1b[31m" not in found


@pytest.mark.usefixtures("terminal")
def test_commands_draw_their_tables(cli: Command, loans_csv: Path, model_file: Path) -> None:
    drawn = cli("evaluate", model_file, loans_csv).stdout
    assert "\x1b[1mConfusion matrix (rows: true, columns: predicted)\x1b[0m" in drawn
    assert max(map(len, without_codes(drawn))) <= 60
    assert without_codes(cli("spaces").stdout)[0].startswith("deep  ")
