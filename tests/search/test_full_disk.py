"""A disk without room costs what could not be written, never the fit."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_runs import (
    JOURNAL,
    PATIENCE,
    assert_same_outcome,
    environment,
    order,
    write_space,
)

import autoimb
from autoimb.errors import AutoImbWarning

pytestmark = pytest.mark.usefixtures("mainless", "few_resamples")

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fill_disk(patch: pytest.MonkeyPatch, *, for_journal: int | None, for_arrays: bool) -> None:
    """Let the journal be written so many times only, and no predictions if so wished."""
    usual, n_written = Path.open, 0

    def limited(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        nonlocal n_written
        if path.name == JOURNAL and "a" in mode and for_journal is not None:
            n_written += 1
            if n_written > for_journal:
                raise FULL
        return usual(path, mode, *args, **kwargs)

    def refuse(*_: Any) -> None:
        raise FULL

    patch.setattr(Path, "open", limited)
    if for_arrays:
        patch.setattr(np, "save", refuse)


@pytest.mark.parametrize("for_arrays", [False, True], ids=["journal", "journal and predictions"])
@pytest.mark.parametrize("n", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 40))])
def test_a_journal_that_has_no_room_left_is_one_warning_and_no_lost_fit(
    data: Path,
    table: pd.DataFrame,
    uninterrupted: Any,
    tmp_path: Path,
    n: int,
    for_arrays: bool,
) -> None:
    write_space(tmp_path)
    with pytest.MonkeyPatch.context() as patch, pytest.warns(AutoImbWarning) as caught:
        fill_disk(patch, for_journal=n, for_arrays=for_arrays)
        found = autoimb.fit(**order(data, tmp_path))
    (warning,) = caught
    assert "study.journal cannot be written (No space left on device)" in str(warning.message)
    assert_same_outcome(found, uninterrupted, table)
    written = (tmp_path / "run" / JOURNAL).read_text()
    assert not written or written.endswith("\n")
    assert len([json.loads(line) for line in written.splitlines()]) >= n
    # once there is room, it goes on from where the file ends
    assert_same_outcome(autoimb.fit(**order(data, tmp_path)), uninterrupted, table)


def test_predictions_that_find_no_room_cost_time_alone(
    data: Path, table: pd.DataFrame, uninterrupted: Any, tmp_path: Path
) -> None:
    write_space(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        fill_disk(patch, for_journal=None, for_arrays=True)
        found = autoimb.fit(**order(data, tmp_path))
    assert_same_outcome(found, uninterrupted, table)
    # what leads is evaluated again where its predictions are not there
    assert_same_outcome(autoimb.fit(**order(data, tmp_path)), uninterrupted, table)


def test_a_folder_that_is_full_keeps_no_model_from_another_place(
    data: Path, uninterrupted: Any, table: pd.DataFrame, tmp_path: Path
) -> None:
    write_space(tmp_path)
    usual = Path.write_text

    def limited(path: Path, *args: Any, **kwargs: Any) -> int:
        if path.parent == tmp_path / "run" and (path.parent / JOURNAL).exists():
            raise FULL
        return usual(path, *args, **kwargs)

    out = tmp_path / "model.pkl"
    with pytest.MonkeyPatch.context() as patch, pytest.warns(AutoImbWarning, match="No space"):
        patch.setattr(Path, "write_text", limited)
        fill_disk(patch, for_journal=40, for_arrays=True)
        autoimb.fit(**order(data, tmp_path, out=out))
    expected = autoimb.load(uninterrupted.model_path)
    assert np.array_equal(autoimb.load(out).predict_proba(table), expected.predict_proba(table))


LIMITED = """
import resource, sys
from autoimb.cli.app import main

sys.dont_write_bytecode = True
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


@pytest.mark.slow
def test_a_file_that_may_not_grow_ends_with_a_whole_line(data: Path, tmp_path: Path) -> None:
    write_space(tmp_path)
    flags = ["--trials", "40", "--folds", "3", "--executor", "in_process", "--tracking-uri", "off"]
    done = run_python(
        tmp_path, LIMITED, "16000", "fit", data, *flags, "--space", "own.toml", "--run-dir", "run"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("study.journal cannot be written (File too large)") == 1
    assert "Traceback" not in done.stderr
    content = (tmp_path / "run" / JOURNAL).read_text()
    assert 15_000 < len(content) <= 16_000
    assert content.endswith("\n")
    assert all(map(json.loads, content.splitlines()))
    assert autoimb.load(tmp_path / "run" / "model.pkl").classes_.tolist() == ["no", "yes"]


def run_python(folder: Path, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
