"""What a terminal shows of a search while it runs, and what is left where there is none."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from command_line import QUICK, Command
from rich.console import Console
from terminal import run_in_terminal, screen

import autoimb
from autoimb.cli.live import Clock, clocked
from autoimb.cli.progress import COMPARING, Progress
from autoimb.cli.search_view import SearchView, tell_in_a_line
from autoimb.cli.standing import Standing
from autoimb.evaluation.scoring import Score
from autoimb.metrics import get_metric
from autoimb.search.budget import Budget
from autoimb.search.records import TrialRecord
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.search_space import load_space

IMPORTABLE = str(Path(autoimb.__file__).resolve().parents[1])
SPACE = load_space("default")
CLOCK = Clock("searching for the best average_precision", "0:41 left", 0.4)
LONG = Configuration(
    Choice("lightgbm"),
    ensemble=Choice("anomaly_features", "its.Class"),
    sampler=Choice("neighbourhood_cleaning", "its.Class"),
)


def record(configuration: Configuration, value: float | None, **given: Any) -> TrialRecord:
    scores = {} if value is None else {"average_precision": Score(value, value, 0.03)}
    state = "complete" if scores else "pruned"
    return TrialRecord(0, configuration, **{"state": state, "scores": scores, **given})


def stand(*records: TrialRecord, metric: str = "average_precision") -> Standing:
    standing = Standing(get_metric(metric))
    for one in records:
        standing = standing.count(one)
    return standing


STANDING = stand(
    record(SPACE.default(), 0.70),
    record(SPACE.default(), 0.72),
    record(SPACE.default(), 0.71),
    record(SPACE.default(weight="power"), 0.69),
    record(SPACE.default(sampler="smote"), 0.74, is_calibrated=False),
    record(SPACE.default(sampler="random_under"), None),
    record(SPACE.default(sampler="adasyn"), None, state="failed"),
    record(SPACE.default(model="logistic"), 0.50),
    record(SPACE.default(model="random_forest"), 0.40),
    record(LONG, 0.73),
)


def look(view: object, width: int = 80, height: int = 24, **given: Any) -> list[str]:
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True,
        **{"color_system": None, **given},
    )  # fmt: skip
    with console.capture() as seen:
        console.print(view, end="")
    return [line.rstrip() for line in seen.get().splitlines()]


def test_it_shows_what_goes_on_who_leads_and_what_is_left() -> None:
    assert look(SearchView(CLOCK, STANDING, rate=61.2)) == [
        "searching for the best average_precision                             0:41 left",
        "━" * 31,
        "10 trials, 1 failed, 1 ended early, 61 a minute",
        "",
        "rank  strategy                                           score",
        "   1  lightgbm + smote                           0.740 ± 0.030  miscalibrated",
        "   2  lightgbm + anomaly_features + neighbourh…  0.730 ± 0.030",
        "   3  lightgbm                                   0.720 ± 0.030",
        "   4  lightgbm + power                           0.690 ± 0.030",
        "   5  logistic                                   0.500 ± 0.030",
        "",
        "kind                 strategy                            score  trials  failed",
        "best plain model     lightgbm                    0.720 ± 0.030       5       0",
        "best with a weight   lightgbm + power            0.690 ± 0.030       1       0",
        "best with a sampler  lightgbm + smote            0.740 ± 0.030       3       1",
        "best ensemble        lightgbm + anomaly_featur…  0.730 ± 0.030       1       0",
    ]


@pytest.mark.parametrize("width", [1, 10, 20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("height", [1, 4, 9, 12, 16, 24, 50])
def test_it_fits_any_terminal(width: int, height: int) -> None:
    lines = look(SearchView(CLOCK, STANDING, rate=61.2), width, height)
    assert max(map(len, lines)) <= max(width - 2, 1)
    assert len(lines) <= max(height - 1, 3)
    if width >= 40 and height >= 12:
        assert sum("±" in line for line in lines[:10]) == 5
        assert any(re.search(r"1 +lightgbm \+ s.* 0\.740 ± 0\.030 +(!|misc)", ln) for ln in lines)
    if height >= 24:
        assert len(lines) == 16


@pytest.mark.parametrize("standing", [stand(), stand(record(LONG, None))])
def test_before_anything_is_scored_there_is_no_table(standing: Standing) -> None:
    assert len(look(SearchView(CLOCK, standing))) == 3


def test_a_loss_leads_by_the_least() -> None:
    best, worst = (
        record(c, None, state="complete", scores={"brier": Score(value, value, 0.0)})
        for c, value in [(LONG, 0.1), (SPACE.default(), 0.2)]
    )
    assert stand(worst, best, metric="brier").leaders(2) == [best, worst]


def test_what_has_no_score_leads_nothing() -> None:
    standing = stand(record(LONG, float("nan")), record(SPACE.default(), 0.1))
    assert [one.configuration for one in standing.leaders(5)] == [SPACE.default()]
    assert standing.n_trials == 2


def test_names_are_neither_markup_nor_codes() -> None:
    hostile = Configuration(Choice("[red]net[/red] :boom: \x1b[31m\n"))
    lines = look(SearchView(CLOCK, stand(record(hostile, 0.5))), color_system="standard")
    assert any(r"[red]net[/red] :boom: \x1b[31m\n" in line for line in lines)
    assert "\x1b[31m" not in "".join(lines)


def test_a_line_says_the_same() -> None:
    assert tell_in_a_line(STANDING, "0:41 left") == (
        "10 trials (1 failed, 1 ended early), best average_precision 0.740 ± 0.030 by "
        "lightgbm + smote, 0:41 left"
    )
    assert tell_in_a_line(stand(record(LONG, None, state="failed")), "3 trials left") == (
        "1 trial (1 failed), 3 trials left"
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Set the time."""
    now = [1000.0]
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: now[0])
        yield now


def begun(seconds: float | None = 60.0, trials: int | None = None) -> Progress:
    budget = Budget(seconds, trials, time.monotonic())
    dataset: Any = SimpleNamespace(
        name="loans", target="[bold]y", labels=SimpleNamespace(positive="\x1b[31myes"), X=np.eye(3)
    )
    plan: Any = SimpleNamespace(
        metric=get_metric("average_precision"), budget=budget, resources=lambda size: "here"
    )
    progress = Progress()
    progress.started(dataset, SimpleNamespace(n_rows=160, findings=()), plan)  # type: ignore
    return progress


@pytest.mark.parametrize(
    ("seconds", "trials", "at_first", "later"),
    [
        (60.0, None, "1:00 left", "0:45 left"),
        (None, 9, "8 trials left", "8 trials left"),
        (60.0, 9, "1:00 or 8 trials left", "0:45 or 8 trials left"),
    ],
)
def test_time_passes_though_no_trial_ends(
    clock: list[float], seconds: float | None, trials: int | None, at_first: str, later: str
) -> None:
    progress = begun(seconds, trials)
    progress.told(record(LONG, 0.5))
    assert look(progress._view())[0].endswith(f"  {at_first}")
    clock[0] += 15
    head, _, counts, *_ = look(progress._view())
    assert head.endswith(f"  {later}")
    assert counts.endswith(", 4 a minute")


def test_it_says_what_comes_after_the_trials(clock: list[float]) -> None:
    progress = Progress()
    assert look(progress._view()) == ["reading and profiling the table  0:00"]
    progress = begun(None, 9)
    progress.told(record(LONG, 0.5))
    progress.trials_ended()
    clock[0] += 15
    head, _, counts, *_ = look(progress._view())
    assert re.split(r"\s{2,}", head) == [COMPARING, "0:15 so far"]
    assert counts == "1 trial, 0 failed, 0 ended early"
    progress.finished(None)  # type: ignore[arg-type]
    assert look(progress._view())[0].startswith("writing down what was found")


def test_without_a_terminal_a_line_comes_now_and_then(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with begun() as progress:
        for _ in range(25):
            progress.told(record(LONG, 0.5))
            clock[0] += 1
        progress.trials_ended()
        progress.trials_ended()
    first, *lines = capsys.readouterr().err.splitlines()
    assert first.startswith(r"loans: 160 rows, target '[bold]y', positive '\x1b[31myes'; searching")
    assert [line.split(", ")[0] for line in lines] == [
        "1 trial", "12 trials", "23 trials", COMPARING.split(", ")[0],
    ]  # fmt: skip
    assert lines[1].endswith("0:49 left")


def test_a_fit_tells_what_it_does(quick_fit: Command, loans_csv: Path) -> None:
    _, line, after = quick_fit("loans.csv").stderr.splitlines()
    assert re.fullmatch(
        r"1 trial, best average_precision 0\.\d{3} ± 0\.\d{3} by .+, 2 trials left", line
    )
    assert after == COMPARING


# What happens in a terminal: it has to be one.

WATCHED = """
import sys, time, warnings
sys.path.insert(0, sys.argv[1])
from autoimb.cli.app import _show_own_warnings_only
from autoimb.errors import AutoImbWarning
from test_live_view import LONG, begun, record
_show_own_warnings_only()
with begun() as progress:
    progress.told(record(LONG, 0.5))
    time.sleep(1)
    warnings.warn("the store is [red]read-only[/red].", AutoImbWarning)
    time.sleep(1)
    print("ready", file=sys.stderr)
    time.sleep(float(sys.argv[2]))
print("the outcome")
"""


def watch(tmp_path: Path, seconds: float = 0, *, at: str | None = None, **env: str) -> Any:
    wanted = {"TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join([IMPORTABLE, *sys.path])}
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    command = [sys.executable, "-c", WATCHED, str(Path(__file__).parent), str(seconds)]
    return run_in_terminal(command, tmp_path, {**kept, **wanted, **env}, interrupt_at=at)


def colours(written: str) -> set[str]:
    """Find the codes that choose a colour, of letters or of what is behind them."""
    each = {code for codes in re.findall(r"\x1b\[([\d;]+)m", written) for code in codes.split(";")}
    return {code for code in each if re.fullmatch(r"[349][0-7]|[34]8|10[0-7]", code)}


@pytest.mark.slow
def test_warnings_stay_and_the_view_goes(tmp_path: Path) -> None:
    code, written = watch(tmp_path)
    assert code == 0, written
    assert "lightgbm + anomaly_features" in written
    assert colours(written)
    _, *lines = filter(None, map(str.rstrip, screen(written)))
    assert lines == ["warning: the store is [red]read-only[/red].", "ready", "the outcome"]
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


@pytest.mark.slow
def test_ctrl_c_leaves_a_clean_terminal(tmp_path: Path) -> None:
    code, written = watch(tmp_path, 30, at="ready")
    assert code != 0
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
    left = [line for line in screen(written) if "rank" in line or "━" in line or "trial" in line]
    assert left == []


@pytest.mark.slow
def test_no_color_is_respected(tmp_path: Path) -> None:
    code, written = watch(tmp_path, NO_COLOR="1")
    assert (code, colours(written)) == (0, set())
    assert "lightgbm + anomaly_features" in written


@pytest.mark.slow
def test_a_dumb_terminal_gets_lines(tmp_path: Path) -> None:
    code, written = watch(tmp_path, TERM="dumb")
    assert (code, "\x1b" in written) == (0, False)
    assert "1 trial, best average_precision 0.500 ± 0.030 by lightgbm + anomaly" in written


@pytest.mark.slow
def test_a_fit_that_is_interrupted_leaves_its_outcome_alone(
    tmp_path: Path, loans_csv: Path
) -> None:
    flags = [*QUICK, "--executor", "processes", "--budget", "60s", "--trials", "100000"]
    code = "from autoimb.cli.app import main; main()"
    env = {**os.environ, "TERM": "xterm", "PYTHONPATH": IMPORTABLE}
    command = [sys.executable, "-c", code, "fit", "loans.csv", *flags]
    ended, written = run_in_terminal(command, tmp_path, env, interrupt_at="best plain model")
    assert ended == 0, written
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
    seen = screen(written)
    assert any(re.match(r"note: interrupted after \d+ trials?", line) for line in seen), written
    assert not any("━" in line or "best plain model" in line for line in seen)


def test_without_a_terminal_a_clock_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with clocked("looking for leaks", 60.0):
        pass
    assert capsys.readouterr() == ("", "")
