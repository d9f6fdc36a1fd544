"""What a shell is offered, asked as a shell asks: through the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Command, Outcome

from autoimb.cli.completion import RUNS, THE_METRIC
from autoimb.metrics import METRICS, get_metric
from autoimb.strategy.space_files import shipped_spaces

ASK = """
import sys
sys.argv = ["autoimb"]
from autoimb.cli.app import main
try:
    main()
finally:
    print(*sys.modules, file=open("modules", "w"))
"""
SLOW_TO_IMPORT = {"pandas", "scipy", "sklearn", "imblearn", "lightgbm", "optuna", "mlflow"}


@pytest.fixture
def offered(fresh_python: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Complete the last word of a line."""

    def complete(line: str, shell: str = "bash") -> Outcome:
        words = line.split(" ")
        monkeypatch.setenv("_AUTOIMB_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        return fresh_python(ASK)

    return complete


def test_commands_and_options_are_offered(offered: Command) -> None:
    assert offered("autoimb re").stdout.split() == ["retune", "retarget", "replay", "report"]
    assert "--metric" in offered("autoimb fit loans.csv --m").stdout.split()
    assert offered("autoimb fit --prefer ").stdout.split() == ["best", "simple"]


@pytest.mark.parametrize("begin", ["", "f", "recall_"])
def test_metrics_are_offered(offered: Command, begin: str) -> None:
    found = offered(f"autoimb fit loans.csv --metric {begin}")
    assert found.stdout.split() == [name for name in METRICS if name.startswith(begin)]


def test_what_a_threshold_cannot_maximise_is_no_decision(offered: Command) -> None:
    metric, *names = offered("autoimb retune model.pkl --decision ").stdout.split()
    assert metric == "metric"
    assert {"f1", "mcc", "recall_at_precision"} <= set(names)
    assert all(get_metric(n).needs_decision or get_metric(n).floor is not None for n in names)


@pytest.mark.parametrize("asked", ["fit loans.csv --space", "check-leaks --space", "spaces"])
def test_spaces_are_offered_with_the_files_that_may_be_one(
    offered: Command, tmp_path: Path, asked: str
) -> None:
    (tmp_path / "own.toml").touch()
    (tmp_path / "own.csv").touch()
    assert offered(f"autoimb {asked} ").stdout.split() == [*shipped_spaces(), "own.toml"]


@pytest.mark.parametrize(
    "asked", ["replay", "compare", "compare one", "fit loans.csv --resume --run-dir"]
)
def test_folders_of_runs_are_offered(offered: Command, tmp_path: Path, asked: str) -> None:
    for name in ("20260703-loans", "20260704-loans"):
        (tmp_path / "autoimb_runs" / name).mkdir(parents=True)
    (tmp_path / "autoimb_runs" / "mlflow.db").touch()
    assert offered(f"autoimb {asked} autoimb").stdout.split() == [
        "autoimb_runs/20260703-loans", "autoimb_runs/20260704-loans",
    ]  # fmt: skip


def test_what_is_known_without_an_import_is_so() -> None:
    from autoimb import run_folder
    from autoimb.decision import stating

    assert (RUNS, THE_METRIC) == (run_folder.RUNS, stating.THE_METRIC)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    "line",
    [
        "autoimb replay ", "autoimb fit --metric ", "autoimb fit --decision ", "autoimb spaces ",
        "autoimb nonsense --x ", "autoimb fit 'lo", "autoimb ",
    ],
)  # fmt: skip
def test_nothing_is_printed_but_offers_and_nothing_slow_is_imported(
    offered: Command, tmp_path: Path, line: str, shell: str
) -> None:
    found = offered(line, shell)
    assert (found.code, found.stderr) == (0, "")
    assert not SLOW_TO_IMPORT & set((tmp_path / "modules").read_text().split())


def test_a_metric_is_offered_with_its_meaning(offered: Command) -> None:
    found = offered("autoimb fit --metric mcc", "fish")
    assert found.stdout == f"mcc\t{METRICS['mcc'].meaning}\n"


def test_the_script_for_the_shell_can_be_had(
    fresh_python: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_AUTOIMB_COMPLETE", "source_bash")
    found = fresh_python(ASK)
    assert (found.code, found.stderr) == (0, "")
    assert "_AUTOIMB_COMPLETE=complete_bash" in found.stdout
