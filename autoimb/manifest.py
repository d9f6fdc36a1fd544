"""What stands beside a model file, and how files that belong together are written."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoimb.errors import ArtifactError, UsageError, nearest_name
from autoimb.run_file import MODEL_FILE, REPORT_FILE, RUN_FILE

__all__ = [
    "card_path", "findings_path", "make_readable", "manifest_path", "read_manifest", "report_path",
    "require_writable", "set_aside", "write_manifest", "write_whole",
]  # fmt: skip


def manifest_path(path: Path) -> Path:
    """Name the manifest of a model file.

    Examples
    --------
    >>> manifest_path(Path("churn/model.pkl")).name
    'model.manifest.json'
    >>> manifest_path(Path("churn/model.pkl.1")).name  # of a model that was set aside
    'model.manifest.json.1'
    """
    return _beside(path, ".", "manifest.json")


def card_path(path: Path) -> Path:
    """Name the card of a model file.

    Examples
    --------
    >>> card_path(Path("churn/model.pkl")).name
    'model_card.md'
    """
    return _beside(path, "_", "card.md")


def findings_path(path: Path) -> Path:
    """Name the file of what the report of a model tells of its fit.

    Examples
    --------
    >>> findings_path(Path("churn/model.pkl")).name
    'model_findings.json'
    """
    return _beside(path, "_", "findings.json")


def report_path(path: Path) -> Path:
    """Name the report of a model file; in the folder of its run it is the run's.

    Examples
    --------
    >>> report_path(Path("churn.pkl")).name
    'churn_report.html'
    """
    if path.name == MODEL_FILE and (path.parent / RUN_FILE).is_file():
        return path.with_name(REPORT_FILE)
    return _beside(path, "_", "report.html")


def _beside(path: Path, mark: str, ending: str) -> Path:
    """Name a file that belongs to a model file, whatever its number."""
    name, number = path.name, ""
    if (kept := re.fullmatch(r"(.+)(\.\d+)", name)) is not None:
        name, number = kept.groups()
    stem = name.removesuffix(".pkl")
    # Another suffix, or none, is kept apart from NAME.pkl in the same folder.
    return path.with_name(f"{stem}{mark if stem != name else '-'}{ending}{number}")


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a model file.

    Parameters
    ----------
    path : Path
        Of the pickle.

    Returns
    -------
    dict

    Raises
    ------
    ArtifactError
        If model or manifest is not there or cannot be read.
    """
    if not path.is_file():
        models = [found.name for found in path.parent.glob("*.pkl")]
        advice = nearest_name(path.name, models) if models else "check the path."
        raise ArtifactError(f"model file {path} does not exist; {advice}")
    manifest = manifest_path(path)
    if not manifest.is_file():
        raise ArtifactError(
            f"{path}: its manifest {manifest.name} is not beside it. Copy both files."
        )
    try:
        found = json.loads(manifest.read_text("utf-8"))
        return {**found, "sha256": found["sha256"], "versions": found["versions"]}
    except (ValueError, KeyError, TypeError):
        raise ArtifactError(
            f"{manifest}: not a manifest of autoimb. Export the model again."
        ) from None


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a model file.

    Parameters
    ----------
    path : Path
        Of the pickle.
    manifest : mapping
    """
    content = json.dumps(manifest, indent=1, default=str)
    write_whole(manifest_path(path), content.encode())


def set_aside(*paths: Path) -> Path | None:
    """Rename files that stand where others are to be written.

    Parameters
    ----------
    *paths : Path
        Files that belong together get the same number.

    Returns
    -------
    Path or None
        The new name of the first, ``NAME.1``, ``NAME.2``, …; None if it was not there.
    """
    number = 1
    while any(_numbered(path, number).exists() for path in paths):
        number += 1
    was_there = paths[0].exists()
    for path in paths:
        if path.exists():
            path.rename(_numbered(path, number))
    return _numbered(paths[0], number) if was_there else None


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file as a whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as part:
        part.write(content)
    make_readable(Path(part.name))
    return Path(part.name).replace(path)


def require_writable(out: str | Path | None) -> None:
    """Find out before any work is done that a file cannot be written.

    Parameters
    ----------
    out : str, Path or None
        As ``--out`` names it.

    Raises
    ------
    UsageError
        If it is a folder, lies in none, or cannot be written.
    """
    if out is None:
        return
    path = Path(out)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UsageError(f"--out {path} is no regular file. Name another one.")
    if path.is_dir():
        raise UsageError(
            f"--out {path} is a folder. Name a file in it, such as {path / 'model.pkl'}."
        )
    if not path.parent.is_dir():
        raise UsageError(f"--out {path}: folder {path.parent} does not exist. Create it first.")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent):
            return
    except OSError as error:
        raise UsageError(
            f"--out {path} cannot be written ({error.strerror}). Choose another place."
        ) from None


def make_readable(path: Path) -> None:
    """Give a temporary file, which is its owner's alone, the rights of any other file."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
