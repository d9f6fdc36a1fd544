"""The table of the small runs, and the run that each of them is to come to."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_runs import (
    N_FOLDS,
    N_ROWS,
    order,
    write_space,
)

import autoimb
from autoimb.evaluation.engine import Evaluator


@pytest.fixture
def mainless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the processes that these tests start the import of pytest."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """Few positives, in a direction that neither model of the space begins with."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N_ROWS, 2)), columns=["a", "b"])
    risk = X["a"] + X["b"] + rng.normal(0, 0.5, N_ROWS)
    return X.assign(late=np.where(risk > 1.5, "yes", "no"))


@pytest.fixture(scope="session")
def data(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "late.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The run that every other one is to come to, whatever befalls it."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    write_space(folder)
    return autoimb.fit(**order(data, folder))


@pytest.fixture
def evaluator() -> Evaluator:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    y = (X.sum(axis=1) + rng.normal(0, 0.4, 90) > 1.2).astype(int)
    deals = np.stack([rng.permutation(np.arange(90)) % N_FOLDS for _ in range(2)])
    return Evaluator(X, y, deals, (0, 0), 2, "average_precision", seed=0)


@pytest.fixture(scope="session")
def X(table: pd.DataFrame) -> pd.DataFrame:
    return table[["a", "b"]]


@pytest.fixture(scope="session")
def y(table: pd.DataFrame) -> pd.Series:
    return table["late"]
