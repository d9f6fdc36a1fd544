"""What can go wrong, as one family: the command line turns each into a single line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ArtifactError",
    "AutoImbError",
    "AutoImbWarning",
    "DataError",
    "MissingPackageError",
    "SearchError",
    "SearchSpaceError",
    "UsageError",
    "nearest_name",
    "one_line",
]

# Of a reason, as a database column or a terminal line holds it.
MAX_REASON = 500


class AutoImbError(Exception):
    """Base of every error that autoimb raises on purpose."""

    exit_code = 1


class AutoImbWarning(UserWarning):
    """Something went otherwise than asked for, and the user can act on it."""


class UsageError(AutoImbError, ValueError):
    """An argument is wrong in itself, whatever the data."""

    exit_code = 2


class DataError(AutoImbError, ValueError):
    """The table cannot be read or does not hold what was asked for."""


class SearchSpaceError(UsageError):
    """A search space names something that does not exist or contradicts itself."""


class SearchError(AutoImbError, RuntimeError):
    """No configuration could be evaluated."""


class ArtifactError(AutoImbError, RuntimeError):
    """A model file is missing, damaged or was written by incompatible versions."""


class MissingPackageError(AutoImbError, ImportError):
    """What was asked for needs a package that is not installed."""


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        What would have been right.

    Returns
    -------
    str
        A phrase to end an error message with.

    Examples
    --------
    >>> nearest_name("f11", ["f1", "mcc"])
    "did you mean 'f1'?"
    >>> nearest_name("zzz", ["f1", "mcc"])
    'choose one of: f1, mcc'
    """
    names = list(known)
    close = get_close_matches(str(name), names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"choose one of: {', '.join(names)}"


def one_line(error: BaseException) -> str:
    r"""Say what an exception is in one line.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        Its type and text, cut where it is long.

    Examples
    --------
    >>> one_line(ValueError("no cluster\nwas found."))
    'ValueError: no cluster was found'
    """
    text = " ".join(str(error).split())
    text = text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"
    return f"{type(error).__name__}: {text}".rstrip(" .:")
