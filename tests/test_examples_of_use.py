"""Programs as users write them: a plain script, a notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autoimb

IMPORTABLE = str(Path(autoimb.__file__).resolve().parents[1])

SCRIPT = """
print("started")
import pandas as pd
from autoimb import AutoImbClassifier

table = pd.read_csv("loans.csv")
search = AutoImbClassifier(
    time_budget=None, n_trials=4, space="fast", n_folds=2, n_jobs=2, tracking_uri="off"
)
search.fit(table.drop(columns="default"), table["default"])
print(len(search.predict(table)), "rows", len(search.result_.search.records), "trials")
"""


def run(script: Path, *launcher: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *launcher, script.name],
        cwd=script.parent,
        env={**os.environ, "PYTHONPATH": IMPORTABLE},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [(), ("-W", "error::UserWarning")], ids=["plain", "strict"])
def test_a_script_without_a_guard_runs_once(
    loans_csv: Path, tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    script = tmp_path / "search.py"
    script.write_text(SCRIPT)
    done = run(script, *launcher)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "started\n160 rows 4 trials\n"
    assert done.stderr == ""


@pytest.mark.slow
def test_code_from_standard_input_runs_once(loans_csv: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-"],
        input=SCRIPT,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": IMPORTABLE},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "started\n160 rows 4 trials\n"), done.stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the notebook's own machinery
def test_a_notebook_runs(loans_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([IMPORTABLE, *sys.path]))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a notebook has its own
    cells = [*SCRIPT.strip().split("\n\n"), "search.plot_threshold();", "search"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook.metadata.update(kernel)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    streams = [output for cell in notebook.cells for output in cell.outputs]
    text = "".join(o.text for o in streams if o.output_type == "stream" and o.name == "stdout")
    assert text == "started\n160 rows 4 trials\n"
    pictures = [o for o in streams if "image/png" in o.get("data", {})]
    assert len(pictures) == 1
    card = streams[-1].data["text/html"]
    assert card.startswith('<div class="autoimb') and "strategy" in card
