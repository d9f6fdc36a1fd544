"""The model registry of MLflow: which names it takes, and what a model became there."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from autoimb.errors import UsageError
from autoimb.tracking.store import default_tracking_uri

__all__ = ["RegisteredModel", "check_registration"]

MAX_NAME = 256


@dataclass(frozen=True)
class RegisteredModel:
    """A version of a registered model.

    Attributes
    ----------
    name : str
    version : int
        From 1 on.

    Examples
    --------
    >>> str(RegisteredModel("churn", 3))
    'churn, version 3'
    """

    name: str
    version: int

    def __str__(self) -> str:
        """Name both."""
        return f"{self.name}, version {self.version}"


def check_registration(name: str | None, tracking_uri: str | None) -> None:
    """Refuse a name that MLflow will not take, before anything is fitted.

    Parameters
    ----------
    name : str or None
        None registers nothing.
    tracking_uri : str or None
        As in `open_tracker`.

    Raises
    ------
    UsageError
        If the name is wrong, or nothing is tracked.

    Examples
    --------
    >>> check_registration("risk/churn", None)
    Traceback (most recent call last):
    autoimb.errors.UsageError: no model can be registered as 'risk/churn': MLflow takes neither \
'/' nor ':' in a name. Give --register another one.
    """
    if name is None:
        return
    if (tracking_uri or default_tracking_uri()) == "off":
        raise UsageError(
            f"--register {name} needs MLflow, but the tracking URI is 'off'. Name a store, or "
            "leave --register out."
        )
    wrong = _find_fault(name)
    if wrong:
        raise UsageError(
            f"no model can be registered as '{name}': MLflow takes {wrong}. Give --register "
            "another one."
        )


def _find_fault(name: str) -> str:
    """Say what MLflow does not take of a name; empty if it takes it."""
    if not name.strip():
        return "no empty name"
    if "/" in name or ":" in name:
        return "neither '/' nor ':' in a name"
    if posixpath.normpath(name) != name or name in (".", ".."):
        return "no name that is a path"
    return f"at most {MAX_NAME} characters" if len(name) > MAX_NAME else ""
