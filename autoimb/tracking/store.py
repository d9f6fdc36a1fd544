"""The MLflow store of the runs: which one it is, and how MLflow is kept quiet and quick with it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "EXPERIMENT", "SQLITE", "default_tracking_uri", "environment", "sqlite_file",
    "with_absolute_path", "without_password",
]  # fmt: skip

SQLITE = "sqlite:///"
# That runs go to unless another is named.
EXPERIMENT = "autoimb"
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Otherwise pyproject.toml and uv.lock of the user's folder are copied into the model.
    "MLFLOW_UV_AUTO_DETECT": "false",
}
# By default MLflow tries a dead server for minutes.
HTTP_ENVIRONMENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


def default_tracking_uri() -> str:
    """Name the store that is used when none is given.

    Returns
    -------
    str
        That of ``MLFLOW_TRACKING_URI``, else the file ``autoimb_runs/mlflow.db`` of this folder.

    Examples
    --------
    >>> _ = os.environ.pop("MLFLOW_TRACKING_URI", None)
    >>> default_tracking_uri().endswith("/autoimb_runs/mlflow.db")
    True
    """
    here = Path.cwd() / "autoimb_runs" / "mlflow.db"
    return os.environ.get("MLFLOW_TRACKING_URI") or SQLITE + here.as_posix()


def sqlite_file(uri: str) -> Path | None:
    """Name the file of an SQLite store.

    Parameters
    ----------
    uri : str

    Returns
    -------
    Path or None
        None for a store of another kind, or in memory.

    Examples
    --------
    >>> sqlite_file("sqlite:////data/mlflow.db").as_posix()
    '/data/mlflow.db'
    >>> sqlite_file("http://127.0.0.1:5000") is None
    True
    """
    name = uri.removeprefix(SQLITE).partition("?")[0]
    return Path(name) if uri.startswith(SQLITE) and name not in ("", ":memory:") else None


def with_absolute_path(uri: str) -> str:
    """Make an SQLite store independent of the current folder.

    Examples
    --------
    >>> with_absolute_path("sqlite:////data/mlflow.db?timeout=5")
    'sqlite:////data/mlflow.db?timeout=5'
    """
    path = sqlite_file(uri)
    if path is None:
        return uri
    _, mark, options = uri.partition("?")
    return SQLITE + path.absolute().as_posix() + mark + options


def without_password(text: str) -> str:
    """Hide the password of every URI in a text.

    Examples
    --------
    >>> without_password("postgresql://me:secret@host/runs is not there")
    'postgresql://***@host/runs is not there'
    """
    return re.sub(r"://[^/\s@]*@", "://***@", text)


@contextmanager
def environment(uri: str) -> Iterator[None]:
    """Set what the user left unset for MLflow with a store, and unset it again."""
    wanted = ENVIRONMENT | (HTTP_ENVIRONMENT if uri.startswith("http") else {})
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
