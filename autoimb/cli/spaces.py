"""`autoimb spaces`: what may be searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoimb.cli.completion import complete_space
from autoimb.cli.json_object import AsJson, print_object
from autoimb.cli.tables import Part, Section, Table, print_report

if TYPE_CHECKING:
    from autoimb.strategy.search_space import SearchSpace

Name = Annotated[str | None, typer.Argument(help="Space to print.", autocompletion=complete_space)]
Check = Annotated[Path | None, typer.Option(help="TOML file to check.")]


def spaces(name: Name = None, check: Check = None, as_json: AsJson = False) -> None:
    """List the search spaces, print one, or check a file of your own."""
    from autoimb.strategy.search_space import load_space
    from autoimb.strategy.space_files import find_space, shipped_spaces

    if check is not None:
        space = load_space(check)
        _print(_object(check, space), _checked(check, space), as_json)
    elif name is not None:
        if as_json:
            print_object(_object(name, load_space(name)))
        else:
            print(find_space(name).read_text("utf-8"), end="")
    else:
        meanings = shipped_spaces()
        each = {shipped: load_space(shipped) for shipped in meanings}
        told = {"spaces": [{**_object(n, each[n]), "meaning": meanings[n]} for n in each]}
        _print(told, _listed(meanings, each), as_json)


def _print(told: Mapping[str, Any], parts: Iterator[Part], as_json: bool) -> None:
    if as_json:
        print_object(told)
    else:
        print_report(parts)


def _object(name: str | Path, space: SearchSpace) -> dict[str, Any]:
    """Give plain values: the components of each stage, and what is left out for want of what."""
    stages = {stage: [one.name for one in found] for stage, found in space.stages.items()}
    return {"space": str(name), "stages": stages, "missing": dict(space.missing)}


def _checked(check: Path, space: SearchSpace) -> Iterator[Part]:
    sizes = ", ".join(f"{len(found)} {stage}s" for stage, found in space.stages.items())
    told = f"{check} is a valid search space: {sizes}"
    yield Section("", [told, *_missing_lines(space.missing)])


def _listed(meanings: Mapping[str, str], each: Mapping[str, SearchSpace]) -> Iterator[Part]:
    missing = {name: package for space in each.values() for name, package in space.missing.items()}
    yield Section("", [Table(("", ""), [*meanings.items()]), *_missing_lines(missing)])


def _missing_lines(missing: Mapping[str, str]) -> Iterator[str]:
    """Say what would join once its package is installed."""
    for package in sorted(set(missing.values())):
        waiting = ", ".join(name for name, needed in missing.items() if needed == package)
        yield f"left out, as {package} is not installed: {waiting}"
