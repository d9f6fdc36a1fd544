"""The files of search spaces: where they lie, and their tables laid over each other."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from autoimb.errors import SearchSpaceError, nearest_name
from autoimb.strategy.configuration import STAGES

__all__ = ["Tables", "find_space", "read_tables", "shipped_portfolio", "shipped_spaces"]

Tables = dict[str, dict[str, dict[str, Any]]]
# Beside the spaces, but no space: what any of them tries first.
PORTFOLIO = "portfolio"


def spaces_folder() -> Path:
    """Find the shipped spaces: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "search_spaces"
    return inside if inside.is_dir() else package.parent / "search_spaces"


def shipped_spaces() -> dict[str, str]:
    """List the shipped spaces and what they are for.

    Returns
    -------
    dict of str to str
        Name and first comment line.

    Examples
    --------
    >>> sorted(shipped_spaces())
    ['deep', 'default', 'fast', 'interpretable', 'thorough']
    """
    found = {path.stem: path.read_text("utf-8") for path in spaces_folder().glob("*.toml")}
    del found[PORTFOLIO]
    return {name: text.splitlines()[0].lstrip("# ") for name, text in sorted(found.items())}


def shipped_portfolio() -> list[dict[str, Any]]:
    """Read the configurations that did well on other data, the best first.

    Returns
    -------
    list of dict
        Qualified parameter names and values, as `Configuration.flat` has them.

    Examples
    --------
    >>> shipped_portfolio()[0]["model"]
    'lightgbm'
    """
    text = (spaces_folder() / f"{PORTFOLIO}.toml").read_text("utf-8")
    return list(tomllib.loads(text)["configuration"])


def find_space(name: str | Path) -> Path:
    """Find the file of a space, given by name or as a file."""
    path = Path(name)
    if path.suffix == ".toml":
        if not path.is_file():
            raise SearchSpaceError(f"search space file {path} does not exist. Check the path.")
        return path
    shipped = shipped_spaces()
    if str(name) not in shipped:
        near = nearest_name(str(name), shipped)
        raise SearchSpaceError(f"search space '{name}' does not exist; {near}")
    return spaces_folder() / f"{name}.toml"


def read_tables(path: Path, seen: tuple[Path, ...] = ()) -> Tables:
    """Read the tables of a file, laid over those that it extends.

    Parameters
    ----------
    path : Path
    seen : tuple of Path
        Files that extend this one.

    Returns
    -------
    dict
        Stage, component and key to value.

    Raises
    ------
    SearchSpaceError
        If the file is no TOML, extends itself or names something unknown.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SearchSpaceError(f"{path}: not a TOML file: {error}.") from None
    if path.resolve() in seen:
        raise SearchSpaceError(f"{path}: extends itself. Remove one 'extends'.")
    tables: Tables = {stage: {} for stage in STAGES}
    if "extends" in content:
        parent = str(content.pop("extends"))
        beside = path.parent / parent if parent.endswith(".toml") else parent
        tables = read_tables(find_space(beside), (*seen, path.resolve()))
    drop = content.pop("drop", [])
    if not isinstance(drop, list):
        raise SearchSpaceError(f"{path}: drop needs a list of names, but got {drop!r}.")
    for dropped in drop:
        _drop(tables, dropped, path)
    for stage, components in content.items():
        _lay_over(tables, stage, components, path)
    return tables


def _lay_over(tables: Tables, stage: str, components: Any, path: Path) -> None:
    """Add a stage's components; of one that is there already, replace the keys given."""
    if stage not in STAGES or not isinstance(components, dict):
        near = nearest_name(stage, (*STAGES, "extends", "drop"))
        raise SearchSpaceError(f"{path}: [{stage}] is no stage; {near}")
    for name, table in components.items():
        if not isinstance(table, dict):
            raise SearchSpaceError(
                f"{path}: {stage}.{name} must be a table, but is {table!r}. Write [{stage}.{name}]."
            )
        tables[stage][name] = {**tables[stage].get(name, {}), **table}


def _drop(tables: Tables, dropped: str, path: Path) -> None:
    known = [f"{stage}.{name}" for stage in STAGES for name in tables[stage]]
    if dropped not in known:
        near = nearest_name(dropped, known)
        raise SearchSpaceError(f"{path}: drop: '{dropped}' is not in the extended space; {near}")
    stage, name = dropped.split(".", 1)
    del tables[stage][name]
