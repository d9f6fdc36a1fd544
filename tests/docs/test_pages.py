"""What a reader copies from the pages works."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from command_line import Command
from page_blocks import PAGES, ROOT, Block, commands, hurried, read_blocks

import autoimb

BLOCKS = {name: list(read_blocks(path)) for name, path in PAGES.items()}


@pytest.fixture(scope="session")
def taken_for_granted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what pages call data.csv, new.csv, labelled.csv and model.pkl."""
    folder = tmp_path_factory.mktemp("pages")
    rng = np.random.default_rng(0)
    n = 600
    age, visits = rng.integers(18, 80, n), rng.poisson(4, n)
    risk = age / 20 - visits + rng.normal(size=n)
    table = pd.DataFrame(
        {
            "patient": rng.integers(0, 150, n).astype(str),
            "date": (pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), "D")).astype(str),
            "age": age,
            "visits": visits,
            "plan": rng.choice(["basic", "plus"], n),
            "amount": rng.lognormal(4, 1, n).round(2),
            "churned": np.where(risk > np.quantile(risk, 0.85), "yes", "no"),
        }
    )
    table.to_csv(folder / "data.csv", index=False)
    table.tail(200).to_csv(folder / "labelled.csv", index=False)
    for name in ("new.csv", "this_month_unlabelled.csv"):
        table.tail(200).drop(columns="churned").to_csv(folder / name, index=False)
    autoimb.fit(
        folder / "data.csv", out=folder / "model.pkl", run_dir=folder / "run", n_trials=3,
        time_budget=None, space="fast", n_folds=2, executor="in_process", tracking_uri="off",
    )  # fmt: skip
    shutil.rmtree(folder / "run")
    return folder


@pytest.fixture
def reader(
    taken_for_granted: Path, cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Command]:
    """Sit where a reader sits: in a folder with the data, and nothing of other pages."""
    shutil.copytree(taken_for_granted, tmp_path, dirs_exist_ok=True)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.syspath_prepend(tmp_path)
    yield cli
    import mlflow

    mlflow.set_tracking_uri(None)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    plt.close("all")


def run_block(page: str, block: Block, reader: Command, names: dict[str, Any]) -> None:
    where = f"{page}:{block.line}"
    if block.file_name:
        Path(block.file_name).write_text(block.code, "utf-8")
    elif block.is_run and block.language == "python":
        exec(compile(hurried(block.code), where, "exec", dont_inherit=True), names)
    elif block.is_run:
        for program, *arguments in commands(block.code):
            assert program == "autoimb", f"{where}: say why it is not run"
            done = reader(*arguments)
            assert done.code == 0, f"{where}: {' '.join(arguments)}: {done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p, found in BLOCKS.items() if any(b.is_run for b in found)])
def test_the_code_of_a_page_runs(page: str, reader: Command) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS[page]:
        run_block(page, block, reader, names)


@pytest.mark.parametrize("page", PAGES)
def test_no_code_goes_unnoticed(page: str) -> None:
    text = PAGES[page].read_text("utf-8")
    assert len(re.findall(r"^ *```\S", text, re.M)) == len(BLOCKS[page]), "a block has no language"
    commands_elsewhere = [
        block.line
        for block in BLOCKS[page]
        if block.language not in ("sh", "text") and re.search(r"^\$? *autoimb ", block.code, re.M)
    ]
    assert commands_elsewhere == [], "commands of a reader belong into blocks of sh"
    assert text.count("<!-- not run:") == sum(bool(b.reason) for b in BLOCKS[page])


def test_every_page_that_is_linked_is_there() -> None:
    text = PAGES["README.md"].read_text("utf-8")
    links = re.findall(r"\]\(([^):#]+)\)", text)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_reference_describes_every_public_name() -> None:
    text = PAGES["docs/reference/api.md"].read_text("utf-8")
    assert [name for name in autoimb.__all__ if f"heading: autoimb.{name}\n" not in text] == []
