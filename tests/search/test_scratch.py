from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autoimb.search.scratch import ABANDONED, MARK, PREFIX, open_scratch

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders cannot be held there")

HOLD = """
from autoimb.search.scratch import open_scratch
with open_scratch() as folder:
    (folder / "X.npy").write_bytes(b"0")
    print(folder, flush=True)
    input()
"""


def start_holding(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """Have another process open a folder, which then looks as if it were from long ago."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    assert process.stdout is not None
    held = Path(process.stdout.readline().strip())
    make_old(held)
    return process, held


def make_old(path: Path) -> None:
    then = path.stat().st_mtime - ABANDONED - 1
    os.utime(path, (then, then))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_process_left_is_removed_by_the_next(temporary: Path) -> None:
    process, left = start_holding(temporary)
    with open_scratch():
        assert (left / "X.npy").exists(), "somebody is using it"
    process.kill()
    process.communicate()
    assert left.exists()
    with open_scratch() as own:
        assert not left.exists()
        assert list(temporary.iterdir()) == [own]
    assert not list(temporary.iterdir())


def test_what_is_not_ours_to_remove_stays(temporary: Path) -> None:
    just_made, by_name, file, other = (
        temporary / name for name in (f"{PREFIX}new", f"{PREFIX}mine", f"{PREFIX}file", "other")
    )
    for folder in (just_made, by_name, other):
        folder.mkdir()
        (folder / "results.csv").write_text("1", "utf-8")
    for folder in (just_made, other):
        (folder / MARK).touch()
    file.write_text("a file", "utf-8")
    for path in (by_name, file, other):
        make_old(path)
    with open_scratch():
        pass
    assert set(temporary.iterdir()) == {just_made, by_name, file, other}
    assert all((folder / "results.csv").exists() for folder in (just_made, by_name, other))
