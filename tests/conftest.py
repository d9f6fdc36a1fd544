"""What the tests share: a small table of every kind of column, a model of it, the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, Command, Outcome

import autoimb
from autoimb.cli.app import main
from autoimb.evaluation.optimism import estimate_optimism

IMPORTABLE = str(Path(autoimb.__file__).resolve().parents[1])


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Hear Ctrl-C, and all that tests start too: what a shell runs in the background does not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def loans() -> pd.DataFrame:
    """160 rows, 24 of them positive: numbers, text, dates, truth values, and missing cells."""
    rng = np.random.default_rng(0)
    n = 160
    age = rng.integers(18, 80, n).astype(float)
    income = rng.lognormal(10, 0.5, n).round(2)
    city = rng.choice(["Rome", "Oslo", "Lima"], n).astype(object)
    opened = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    risk = (age - 49) / 18 - 2 * (np.log(income) - 10) + (city == "Lima") + rng.normal(0, 0.6, n)
    age[rng.choice(n, 12, replace=False)] = np.nan
    city[rng.choice(n, 8, replace=False)] = None
    return pd.DataFrame(
        {
            "age": age,
            "income": income,
            "city": city,
            "opened": opened.strftime("%Y-%m-%d"),
            "member": rng.random(n) < 0.5,
            "default": np.where(risk >= np.sort(risk)[-24], "yes", "no"),
        }
    )


@pytest.fixture
def loans_csv(loans: pd.DataFrame, tmp_path: Path) -> Path:
    """A file of the table, in the folder that commands run in."""
    path = tmp_path / "loans.csv"
    loans.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def fitted(loans: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished run on the table."""
    return autoimb.fit(
        loans,
        n_trials=3,
        time_budget=None,
        space="fast",
        n_folds=2,
        executor="in_process",
        tracking_uri="off",
        run_dir=tmp_path_factory.mktemp("loans") / "run",
    )


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An MLflow store whose tables exist, to write where a test wants it: to make it takes long."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path.read_bytes()


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Open a browser to look at pages and cards with."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        reason = "pages are looked at with chromium and chromedriver: install both"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(found[0])
    folder = tmp_path_factory.mktemp("chromium")
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--window-size=1200,1400", f"--user-data-dir={folder}",
    ):  # fmt: skip
        options.add_argument(flag)
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(found[1])))
    yield opened
    opened.quit()


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """See how sure a threshold is from few resamples: of a small fit they take a third."""
    monkeypatch.setattr("autoimb.decision.stability.N_RESAMPLES", 20)


@pytest.fixture
def quick_appraisal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appraise from few resamples: enough for what is told apart by far, or not at all."""
    few = partial(estimate_optimism, n_resamples=60)
    monkeypatch.setattr("autoimb.recommendation.estimation.estimate_optimism", few)
    monkeypatch.setattr("autoimb.recommendation.scored_rows.N_RESAMPLES", 200)


@pytest.fixture
def model_file(fitted: Any, tmp_path: Path) -> Path:
    """A model of the table, with its manifest and card, to do with as a test likes."""
    for name in ("model.pkl", "model.manifest.json", "model_card.md"):
        (tmp_path / name).write_bytes((fitted.folder / name).read_bytes())
    return tmp_path / "model.pkl"


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code: Any = 0
        with warnings.catch_warnings(), monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["autoimb", *map(str, arguments)])
            try:
                main()
            except SystemExit as ended:
                code = ended.code or 0
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def quick_fit(cli: Command) -> Command:
    """Run `autoimb fit` with three trials and nothing tracked; later flags overrule these."""
    return lambda data, *flags: cli("fit", data, *QUICK, *flags)


@pytest.fixture
def fresh_python(tmp_path: Path) -> Command:
    """Run code in a Python of its own, in a folder of its own."""

    def run(code: str, *arguments: object) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": IMPORTABLE},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def shell(fresh_python: Command) -> Command:
    """Run a command as a shell does: in a process of its own."""
    code = "from autoimb.cli.app import main; main()"
    return lambda *arguments: fresh_python(code, *arguments)
