"""Search spaces: what may be tried, as TOML that a user can read and edit.

A parameter belongs to a component, a component to a stage, and a stage picks one.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from autoimb.errors import SearchSpaceError, nearest_name
from autoimb.profiling.profile import FACTS
from autoimb.strategy.configuration import STAGES, Choice, Configuration
from autoimb.strategy.parameters import Options, Parameter, Trial, read_parameter
from autoimb.strategy.space_files import Tables, find_space, read_tables, shipped_portfolio

__all__ = ["Component", "SearchSpace", "import_class", "load_space"]

INPUTS = ("raw", "mixed", "numeric", "scaled")
RESERVED = ("class", "input", "if", "needs", "without", "balance", "single")
Pick = Callable[[str, Parameter], Any]


@dataclass(frozen=True)
class Component:
    """A sampler, a weight or a model, with what may be tried of it.

    Attributes
    ----------
    stage, name : str
    class_path : str or None
        None skips the stage.
    input : str
        What the class must be fed: "raw" (missing values and category codes), "mixed"
        (scaled numbers and category codes), "numeric" (no gaps, categories encoded) or
        "scaled" (numeric, and on one scale).
    intervals : mapping of str to (float, float)
        Facts of the data that must lie in an interval.
    without : tuple of str
        Stages that are skipped beside this component.
    balance : Parameter or None
    parameters : mapping of str to Parameter
    single : bool
        Of a model, whether it is exported alone, for a person to read.
    """

    stage: str
    name: str
    class_path: str | None = None
    input: str = "scaled"
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    balance: Parameter | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    single: bool = False

    def suits(self, facts: Mapping[str, float]) -> bool:
        """Tell whether the data lie in every interval of `if`."""
        return all(low <= facts[name] <= high for name, (low, high) in self.intervals.items())

    def capped(self, facts: Mapping[str, float]) -> Component:
        """Finish the bounds that depend on the data."""
        finished = {name: p.capped(facts) for name, p in self.parameters.items()}
        balance = self.balance and self.balance.capped(facts)
        return replace(self, parameters=finished, balance=balance)

    def choose(self, pick: Pick) -> Choice:
        """Pick a value for every parameter."""
        prefix = f"{self.stage}.{self.name}."
        balance = None if self.balance is None else pick(prefix + "balance", self.balance)
        values = {name: pick(prefix + name, p) for name, p in self.parameters.items()}
        return Choice(self.name, self.class_path, self.input, balance, values, self.single)


@dataclass(frozen=True)
class SearchSpace:
    """The components of every stage; the first of each is the default.

    Attributes
    ----------
    name : str
    stages : mapping of str to tuple of Component
    missing : mapping of str to str
        Components that were left out since a package that they need is not installed: their
        qualified name and the package.

    Examples
    --------
    >>> space = load_space("default")
    >>> str(space.default())
    'lightgbm'
    >>> str(space.default(model="logistic", weight="power"))
    'logistic + power'
    """

    name: str
    stages: Mapping[str, tuple[Component, ...]]
    missing: Mapping[str, str] = field(default_factory=dict)

    def restricted_to(self, facts: Mapping[str, float]) -> SearchSpace:
        """Leave out what the data rule out, and finish the bounds that depend on them.

        Parameters
        ----------
        facts : mapping of str to float
            As `Profile.facts` gives them.

        Returns
        -------
        SearchSpace

        Raises
        ------
        SearchSpaceError
            If a stage is left without a component.
        """
        kept = {
            stage: tuple(c.capped(facts) for c in components if c.suits(facts))
            for stage, components in self.stages.items()
        }
        for stage, components in kept.items():
            if not components:
                raise SearchSpaceError(
                    f"search space '{self.name}': these data rule out every {stage}. "
                    "Widen an 'if', or add a component without one."
                )
        return replace(self, stages=kept)

    def configuration(self, pick: Pick) -> Configuration:
        """Walk the space, asking for one value after the other.

        Parameters
        ----------
        pick : callable
            Takes a qualified name and its parameter, returns a value.
        """
        chosen: dict[str, Choice] = {}
        skipped: set[str] = set()
        for stage in STAGES:
            if stage in skipped:
                chosen[stage] = Choice("none")
                continue
            by_name = {component.name: component for component in self.stages[stage]}
            component = by_name[pick(stage, Options(tuple(by_name)))]
            skipped |= set(component.without)
            chosen[stage] = component.choose(pick)
        return Configuration(**chosen)

    def untouched(self) -> Configuration:
        """Return the default model on the data as they are: no sampler, no weight."""
        plain = {
            stage: component.name
            for stage in STAGES[1:]
            for component in self.stages[stage]
            if component.class_path is None
        }
        return self.default(**plain)

    def default(self, **components: str) -> Configuration:
        """Return the default configuration, with some components named by stage."""
        return self.configuration(lambda name, parameter: components.get(name, parameter.default))

    def portfolio(self) -> list[Configuration]:
        """Return what did well on other data, as far as this space has its components.

        Values that the space does not admit become the nearest that it does.
        """
        names = {stage: {c.name for c in components} for stage, components in self.stages.items()}
        return [
            self.configuration(partial(_nearest, flat))
            for flat in shipped_portfolio()
            if all(flat.get(stage, "none") in (*names[stage], "none") for stage in STAGES)
        ]

    def sample(self, rng: np.random.Generator) -> Configuration:
        """Draw a random configuration."""
        return self.configuration(lambda name, parameter: parameter.sample(rng))

    def suggest(self, trial: Trial) -> Configuration:
        """Let an Optuna trial choose."""
        return self.configuration(lambda name, parameter: parameter.suggest(trial, name))


def _nearest(flat: Mapping[str, Any], name: str, parameter: Parameter) -> Any:
    return parameter.nearest(flat[name]) if name in flat else parameter.default


def load_space(name: str | Path) -> SearchSpace:
    """Read a search space and check it.

    Parameters
    ----------
    name : str or Path
        A shipped space, or a TOML file. Its classes are imported: trust it as you would code.

    Returns
    -------
    SearchSpace

    Raises
    ------
    SearchSpaceError
        One line that names file, table and key.
    """
    path = find_space(name)
    tables = read_tables(path)
    stages: dict[str, tuple[Component, ...]] = {}
    missing = _list_missing(tables, path)
    for stage in STAGES:
        read = partial(_read_component, path, stage)
        present = {k: t for k, t in tables[stage].items() if f"{stage}.{k}" not in missing}
        stages[stage] = tuple(read(key, table) for key, table in present.items())
    if not stages["model"]:
        install = f" Install {' or '.join(sorted(set(missing.values())))}." if missing else ""
        raise SearchSpaceError(
            f"{path}: a search space needs at least one table [model.NAME].{install}"
        )
    for stage in STAGES[1:]:
        # Leaving the data as they are is always in the race.
        if all(component.class_path for component in stages[stage]):
            stages[stage] = (*stages[stage], Component(stage, "none"))
    return SearchSpace(path.stem, stages, missing)


def _list_missing(tables: Tables, path: Path) -> dict[str, str]:
    """Name the components whose `needs` is not installed, and what they need."""
    missing = {}
    for stage, components in tables.items():
        for name, table in components.items():
            package = table.get("needs")
            if package is None:
                continue
            if not (isinstance(package, str) and package.isidentifier()):
                raise SearchSpaceError(
                    f"{path}: [{stage}.{name}] needs: must be the name of a package as it is "
                    f"imported, but got {package!r}."
                )
            if find_spec(package) is None:
                missing[f"{stage}.{name}"] = package
    return missing


def _read_component(path: Path, stage: str, name: str, table: dict[str, Any]) -> Component:
    """Read and check one table."""
    where = f"{path}: [{stage}.{name}]"
    class_path = table.get("class")
    if class_path is None:
        if stage == "model" or set(table) - {"if"}:
            raise SearchSpaceError(f"{where}: a {stage} with settings needs a 'class'.")
        return Component(stage, name, intervals=_read_intervals(table.get("if", {}), where))
    named = _named_parameters(class_path, where)
    parameters = {}
    for key, value in table.items():
        if key not in RESERVED:
            _check_key(key, named, class_path, where)
            parameters[key] = read_parameter(value, f"{where} {key}", FACTS)
    balance = table.get("balance")
    if balance is not None and "sampling_strategy" not in named:
        raise SearchSpaceError(
            f"{where} balance: {class_path} has no 'sampling_strategy' to balance by. Remove it."
        )
    return Component(
        stage,
        name,
        class_path,
        _one_of(table.get("input", "scaled"), INPUTS, f"{where} input"),
        _read_intervals(table.get("if", {}), where),
        tuple(_one_of(s, STAGES[1:], f"{where} without") for s in _list(table, "without", where)),
        None if balance is None else read_parameter(balance, f"{where} balance", FACTS),
        parameters,
        _flag(table, "single", where),
    )


def _flag(table: dict[str, Any], key: str, where: str) -> bool:
    found = table.get(key, False)
    if not isinstance(found, bool):
        raise SearchSpaceError(f"{where} {key}: must be true or false, but got {found!r}.")
    return found


def _list(table: dict[str, Any], key: str, where: str) -> list[Any]:
    found = table.get(key, [])
    if not isinstance(found, list):
        raise SearchSpaceError(f"{where} {key}: needs a list of names, but got {found!r}.")
    return found


def _one_of(value: str, known: tuple[str, ...], where: str) -> str:
    if value not in known:
        raise SearchSpaceError(
            f"{where}: '{value}' is not known; {nearest_name(str(value), known)}"
        )
    return value


def _read_intervals(table: dict[str, Any], where: str) -> dict[str, tuple[float, float]]:
    if not isinstance(table, dict):
        raise SearchSpaceError(
            f"{where} if: needs a table such as {{n_rows = [100, inf]}}, but got {table!r}."
        )
    for fact, interval in table.items():
        _one_of(fact, FACTS, f"{where} if")
        bounds = interval if isinstance(interval, list) else []
        numbers = [x for x in bounds if isinstance(x, (int, float))]
        if not (len(bounds) == len(numbers) == 2 and numbers[0] <= numbers[1]):
            raise SearchSpaceError(
                f"{where} if: {fact} needs an interval [low, high], but got {interval!r}."
            )
    return {fact: (low, high) for fact, (low, high) in table.items()}


def import_class(class_path: str) -> type:
    """Import a class by its full path.

    Examples
    --------
    >>> import_class("sklearn.naive_bayes.GaussianNB")
    <class 'sklearn.naive_bayes.GaussianNB'>
    """
    module, _, name = class_path.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, type):
        raise AttributeError(f"{name} is no class")
    return found


def _named_parameters(class_path: str, where: str) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(import_class(class_path)).parameters
    except (ImportError, AttributeError, ValueError) as error:
        raise SearchSpaceError(
            f"{where} class: cannot import '{class_path}' ({error}). "
            "Correct the path, or install its package."
        ) from None


def _check_key(
    key: str, named: Mapping[str, inspect.Parameter], class_path: str, where: str
) -> None:
    """Refuse what the class does not name; of one that takes any keyword, what is nearly a name."""
    if key in named:
        return
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in named.values())
    if takes_any and not get_close_matches(key, named, n=1, cutoff=0.8):
        return
    near = nearest_name(key, [*named, *RESERVED])
    raise SearchSpaceError(f"{where} {key}: {class_path} has no such parameter; {near}")
