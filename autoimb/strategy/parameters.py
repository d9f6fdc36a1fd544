"""Values of a component: constants, choices and ranges, read from TOML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from autoimb.errors import SearchSpaceError, nearest_name

__all__ = ["Constant", "Options", "Parameter", "Range", "Trial", "read_parameter"]


class Trial(Protocol):
    """The part of an Optuna trial that suggests values."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Suggest one of several values."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Suggest a real number."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Suggest a whole number."""


@dataclass(frozen=True)
class Constant:
    """A value that is not searched."""

    value: Any

    @property
    def default(self) -> Any:
        """The value itself."""
        return self.value

    def sample(self, rng: np.random.Generator) -> Any:
        """Return the value itself."""
        return self.value

    def suggest(self, trial: Trial, name: str) -> Any:
        """Return the value itself; the trial is not asked."""
        return self.value

    def nearest(self, value: Any) -> Any:
        """Return the constant: no other value is admitted."""
        return self.value

    def capped(self, facts: Mapping[str, float]) -> Constant:
        """Return the constant: facts do not bound it."""
        return self

    def __str__(self) -> str:
        """Show the value as TOML would, roughly."""
        return repr(self.value)


@dataclass(frozen=True)
class Options:
    """One of several values; the first is the default."""

    values: tuple[Any, ...]

    @property
    def default(self) -> Any:
        """The first value."""
        return self.values[0]

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a value."""
        return self.values[int(rng.integers(len(self.values)))]

    def suggest(self, trial: Trial, name: str) -> Any:
        """Ask the trial."""
        return trial.suggest_categorical(name, list(self.values))

    def nearest(self, value: Any) -> Any:
        """Return the value if it is one of them, else the default."""
        return value if value in self.values else self.default

    def capped(self, facts: Mapping[str, float]) -> Options:
        """Return the options: facts do not bound them."""
        return self

    def __str__(self) -> str:
        """Show all values, the default first."""
        return " | ".join(repr(value) for value in self.values)


@dataclass(frozen=True)
class Range:
    """A number between two bounds.

    Attributes
    ----------
    low, high : float or int
        Both inclusive; whole numbers when both are.
    default : float or int
    log : bool
        Search the logarithm.
    step : float or int or None
    cap : str or None
        A fact of the data that the upper bound must not pass.

    Examples
    --------
    >>> neighbors = Range(1, 15, 5, cap="max_neighbors")
    >>> neighbors.capped({"max_neighbors": 3})
    Range(low=1, high=3, default=3, log=False, step=None, cap=None)
    """

    low: float
    high: float
    default: float
    log: bool = False
    step: float | None = None
    cap: str | None = None

    @property
    def is_integer(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def sample(self, rng: np.random.Generator) -> float:
        """Draw a value, uniformly or on the log scale."""
        if self.log:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = rng.uniform(self.low, self.high)
        return self.nearest(value)

    def nearest(self, value: float) -> float:
        """Move a number to the nearest one that is admitted."""
        value = self._on_grid(min(max(value, self.low), self.high))
        return round(value) if self.is_integer else value

    def suggest(self, trial: Trial, name: str) -> float:
        """Ask the trial."""
        if self.is_integer:
            step, high = int(self.step or 1), int(self._on_grid(self.high))
            return trial.suggest_int(name, int(self.low), high, step=step, log=self.log)
        top = self._on_grid(self.high)
        return trial.suggest_float(name, self.low, top, step=self.step, log=self.log)

    def _on_grid(self, value: float) -> float:
        """Move a value to the nearest one that steps from `low` reach."""
        if self.step is None:
            return value
        n_steps = math.floor((self.high - self.low) / self.step + 1e-9)
        steps = min(round((value - self.low) / self.step), n_steps)
        # Rounded, for 0.1 + 2 * 0.1 is no multiple of 0.1 to Optuna.
        return round(self.low + steps * self.step, 12)

    def capped(self, facts: Mapping[str, float]) -> Range:
        """Lower the upper bound (and with it the others) to the fact that caps it."""
        if self.cap is None:
            return self
        high = min(self.high, facts[self.cap])
        high = max(int(high), 1) if self.is_integer else float(high)
        low, default = min(self.low, high), min(self.default, high)
        return replace(self, low=low, high=high, default=default, cap=None)

    def __str__(self) -> str:
        """Show bounds, scale, default and cap in one line."""
        extras = [" log" if self.log else "", f" step {self.step}" if self.step else ""]
        extras.append(f" up to {self.cap}" if self.cap else "")
        return f"{self.low} .. {self.high}{''.join(extras)}, default {self.default}"


Parameter = Constant | Options | Range
RANGE_KEYS = ("low", "high", "default", "log", "step", "cap")


def read_parameter(value: Any, where: str, facts: tuple[str, ...]) -> Parameter:
    """Read one TOML value.

    Parameters
    ----------
    value : object
        A scalar is a constant, an array a choice, a table with `low` and `high` a range.
    where : str
        File, table and key, for the error message.
    facts : tuple of str
        Names that `cap` may give.

    Returns
    -------
    Constant, Options or Range

    Raises
    ------
    SearchSpaceError
        If the value contradicts itself.

    Examples
    --------
    >>> str(read_parameter({"low": 0.01, "high": 1.0, "log": True}, "x.toml", ()))
    '0.01 .. 1.0 log, default 0.1'
    """
    if isinstance(value, list):
        return _read_options(value, where)
    if isinstance(value, dict):
        return _read_range(value, where, facts)
    return Constant(value)


def _read_options(values: list[Any], where: str) -> Options:
    if not values:
        raise SearchSpaceError(f"{where}: a choice needs at least one value, but got [].")
    for value in values:
        if not isinstance(value, (str, int, float, bool)):
            raise SearchSpaceError(
                f"{where}: the values of a choice must be strings, numbers or true/false, "
                f"but got {value!r}."
            )
    return Options(tuple(values))


def _read_range(table: dict[str, Any], where: str, facts: tuple[str, ...]) -> Range:
    for key in table:
        if key not in RANGE_KEYS:
            near = nearest_name(key, RANGE_KEYS)
            raise SearchSpaceError(f"{where}: '{key}' is not part of a range; {near}")
    low, high = (_read_number(table.get(key), key, where) for key in ("low", "high"))
    log, step = table.get("log", False), table.get("step")
    _check_scale(low, high, log, step, where)
    middle = math.sqrt(low * high) if log else (low + high) / 2
    whole = isinstance(low, int) and isinstance(high, int)
    default = table.get("default", round(middle) if whole else middle)
    for key, value in {"default": default, "step": step}.items():
        if value is not None:
            _read_number(value, key, where, whole)
    if not low <= default <= high:
        raise SearchSpaceError(
            f"{where}: default must lie between {low} and {high}, but got {default}."
        )
    cap = table.get("cap")
    if cap is not None and cap not in facts:
        near = nearest_name(str(cap), facts)
        raise SearchSpaceError(f"{where}: cap '{cap}' is no fact of the data; {near}")
    return Range(low, high, default, log, step, cap)


def _read_number(value: Any, key: str, where: str, whole: bool = False) -> float:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        noun = "whole number" if whole else "number"
        raise SearchSpaceError(f"{where}: a range needs a {noun} '{key}', but got {value!r}.")
    return value


def _check_scale(low: float, high: float, log: Any, step: Any, where: str) -> None:
    if not low < high:
        raise SearchSpaceError(f"{where}: low < high must hold, but got low={low}, high={high}.")
    if log and low <= 0:
        raise SearchSpaceError(f"{where}: low > 0 must hold with log, but got low={low}.")
    if not isinstance(log, bool):
        raise SearchSpaceError(f"{where}: log must be true or false, but got {log!r}.")
    if isinstance(step, (int, float)) and step <= 0:
        raise SearchSpaceError(f"{where}: step > 0 must hold, but got step={step}.")
    if log and step is not None:
        raise SearchSpaceError(f"{where}: a range has either log or step, but got both. Drop one.")
