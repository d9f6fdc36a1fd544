"""What every command promises: help at once, exit codes, one stream for each purpose."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import typer
from command_line import QUICK, Command

from autoimb.cli.app import app
from autoimb.errors import AutoImbWarning, DataError

COMMANDS = (
    "fit", "predict", "evaluate", "retune", "retarget", "profile", "check-leaks", "replay",
    "spaces", "runs", "compare", "report", "ui",
)  # fmt: skip
SLOW_TO_IMPORT = "numpy pandas scipy sklearn imblearn lightgbm optuna mlflow pebble rich"

HELP_OF_ALL = f"""
import sys
from autoimb.cli.app import main
for arguments in (["--help"], *([name, "--help"] for name in {COMMANDS})):
    sys.argv = ["autoimb", *arguments]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, arguments
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & set("{SLOW_TO_IMPORT}".split())), file=sys.stderr)
"""


def test_help_imports_nothing_that_is_slow(fresh_python: Command) -> None:
    found = fresh_python(HELP_OF_ALL)
    assert (found.code, found.stderr) == (0, "[]\n")
    assert all(f"autoimb {name}" in found.stdout for name in COMMANDS)


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli: Command, command: str, flag: str) -> None:
    found = cli(command, flag)
    assert (found.code, found.stderr) == (0, "")
    assert f"autoimb {command}" in found.stdout


def test_version(cli: Command) -> None:
    found = cli("--version")
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout.startswith("autoimb ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["fit"], "Missing argument"),
        (["predict", "model.pkl"], "Missing argument"),
        (["replay"], "Missing argument"),
        (["retune"], "Missing argument"),
        (["retarget"], "Missing argument"),
        (["compare", "run"], "Missing argument"),
        (["fit", "loans.csv", "--wrong"], "No such option: --wrong"),
        (["fit", "loans.csv", "--trials", "many"], "Invalid value for '--trials'"),
        (["fit", "loans.csv", "--folds", "2.5"], "Invalid value for '--folds'"),
        (["fit", "loans.csv", "--executor", "threads"], "Invalid value for '--executor'"),
        (["fit", "loans.csv", "--top-k", "some"], "Invalid value for '--top-k'"),
        (["retarget", "model.pkl", "--prevalence", "half"], "Invalid value for '--prevalence'"),
        (["runs", "--limit", "0"], "Invalid value for '--limit'"),
        (["spaces", "a", "b"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_exit_code_2(cli: Command, arguments: list[str], told: str) -> None:
    found = cli(*arguments)
    assert (found.code, found.stdout) == (2, "")
    assert told in found.stderr
    assert "Traceback" not in found.stderr


def test_failures_are_one_line_and_no_traceback(shell: Command) -> None:
    found = shell("fit", "nothing.csv")
    assert (found.code, found.stdout) == (1, "")
    assert found.stderr == "error: nothing.csv: no such file. Check the path.\n"


@pytest.mark.slow
def test_debug_shows_where_an_error_came_from(shell: Command) -> None:
    found = shell("fit", "nothing.csv", "--debug")
    assert found.code != 0
    assert found.stderr.startswith("Traceback")
    assert "autoimb.errors.DataError: nothing.csv: no such file" in found.stderr


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_lets_errors_through_wherever_it_stands(cli: Command, place: int) -> None:
    arguments = ["fit", "nothing.csv"]
    arguments.insert(place, "--debug")
    with pytest.raises(DataError, match=r"^nothing\.csv: no such file"):
        cli(*arguments)


def test_what_nobody_foresaw_is_one_line_too(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Path:
        raise RuntimeError("first line\n  second line")

    monkeypatch.setattr("autoimb.strategy.space_files.find_space", broken)
    found = cli("spaces", "default")
    assert (found.code, found.stdout) == (1, "")
    assert found.stderr == (
        "error: RuntimeError: first line second line "
        "(unexpected; --debug shows where it came from)\n"
    )


def test_only_our_own_warnings_are_shown(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn() -> dict[str, str]:
        warnings.warn("of a library", UserWarning, stacklevel=1)
        warnings.warn("the store is read-only.", AutoImbWarning, stacklevel=1)
        return {}

    monkeypatch.setattr("autoimb.strategy.space_files.shipped_spaces", warn)
    assert cli("spaces").stderr == "warning: the store is read-only.\n"


# How each command is asked for JSON; one that is not here has to be given a line.
AS_JSON = {
    "fit": ("loans.csv", *QUICK, "--json"),
    "predict": ("model.pkl", "loans.csv", "--out", "predictions.csv", "--json"),
    "evaluate": ("model.pkl", "loans.csv", "--json"),
    "retune": ("model.pkl", "--decision", "f1", "--json"),
    "retarget": ("model.pkl", "--prevalence", "0.3", "--json"),
    "profile": ("loans.csv", "--json", "-"),
    "check-leaks": ("loans.csv", "--space", "interpretable", "--budget", "1s", "--json"),
    "replay": ("run", "--data", "loans.csv", "--json"),
    "spaces": ("--json",),
    "runs": ("--json",),
    "compare": (".", "model.pkl", "--json"),
    "report": ("model.pkl", "--json"),
}
PRINTS_NO_RESULT = {"ui"}


def all_commands() -> list[str]:
    found: Any = typer.main.get_command(app)
    return list(found.commands)


def test_the_commands_are_known() -> None:
    assert all_commands() == list(COMMANDS)


@pytest.mark.parametrize("command", [c for c in all_commands() if c not in PRINTS_NO_RESULT])
def test_json_is_one_object_on_stdout(
    cli: Command,
    loans_csv: Path,
    model_file: Path,
    fitted: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.setattr("autoimb.tracking.history.list_runs", lambda *asked: [])
    shutil.copytree(fitted.folder, tmp_path / "run")
    found = cli(command, *AS_JSON[command])
    assert found.code == 0, found.stderr
    assert found.json  # which refuses NaN
    assert found.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "held"),
    [
        (("interpretable",), {"space", "stages", "missing"}),
        (("--check", "own.toml"), {"space", "stages", "missing"}),
        ((), {"spaces"}),
    ],
    ids=["one", "file", "all"],
)
def test_every_way_to_ask_for_spaces_has_json(
    cli: Command, tmp_path: Path, arguments: tuple[str, ...], held: set[str]
) -> None:
    (tmp_path / "own.toml").write_text('extends = "interpretable"')
    found = cli("spaces", *arguments, "--json").json
    assert set(found) == held
    each = found.get("spaces", [found])
    assert all("logistic" in one["stages"]["model"] for one in each)


@pytest.mark.parametrize("command", [c for c in AS_JSON if c not in ("spaces", "runs")])
def test_errors_are_one_line_beside_json_too(cli: Command, command: str) -> None:
    found = cli(command, *AS_JSON[command])
    assert (found.code in (1, 2), found.stdout) == (True, "")
    assert re.fullmatch(r"error: .+\n", found.stderr)


def test_predictions_are_the_output_unless_a_file_takes_them(cli: Command) -> None:
    found = cli("predict", "model.pkl", "loans.csv", "--json")
    assert (found.code, found.stdout) == (2, "")
    assert "--out" in found.stderr


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error(loans_csv: Path, model_file: Path) -> None:
    code = "from autoimb.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "predict", str(model_file), str(loans_csv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read().decode()
    process.stderr.close()
    process.wait(timeout=60)
    assert "Traceback" not in told
    assert "unexpected" not in told
