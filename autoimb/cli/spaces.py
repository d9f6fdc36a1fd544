"""`autoimb spaces`: what may be searched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str | None, typer.Argument(help="Space to print.")]
Check = Annotated[Path | None, typer.Option(help="TOML file to check.")]


def spaces(name: Name = None, check: Check = None) -> None:
    """List the search spaces, print one, or check a file of your own."""
    from autoimb.strategy.search_space import load_space
    from autoimb.strategy.space_files import find_space, shipped_spaces

    if check is not None:
        space = load_space(check)
        sizes = ", ".join(f"{len(found)} {stage}s" for stage, found in space.stages.items())
        print(f"{check} is a valid search space: {sizes}")
        _tell_missing(space.missing)
    elif name is not None:
        print(find_space(name).read_text("utf-8"), end="")
    else:
        missing: dict[str, str] = {}
        for shipped, meaning in shipped_spaces().items():
            print(f"{shipped:<14} {meaning}")
            missing |= load_space(shipped).missing
        _tell_missing(missing)


def _tell_missing(missing: Mapping[str, str]) -> None:
    """Say what would join once its package is installed."""
    for package in sorted(set(missing.values())):
        waiting = ", ".join(name for name, needed in missing.items() if needed == package)
        print(f"left out, as {package} is not installed: {waiting}")
