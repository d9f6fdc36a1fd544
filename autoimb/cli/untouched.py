"""How a model does on untouched rows, beside what the cross-validation promised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autoimb.cli.tables import Section, Table

if TYPE_CHECKING:
    from autoimb.final_test import FinalTest
    from autoimb.fitting import FitResult

__all__ = ["untouched_sections"]


def untouched_sections(test: FinalTest | None, result: FitResult) -> Iterator[Section]:
    """Show every metric that was promised, the searched one first; nothing without such rows.

    Parameters
    ----------
    test : FinalTest or None
    result : FitResult

    Yields
    ------
    Section
    """
    if test is None:
        return
    told = {
        name: f"{test.estimates.get(name, 'not defined')}; promised {promised}"
        for name, promised in result.estimates.items()
    }
    first = result.metric.name
    title = f"On {test.n_rows:,} untouched rows ({test.source}): {first} {told.pop(first)}"
    notes = [f"  note: {note}" for note in test.notes]
    yield Section(title, [Table(("", ""), [*told.items()], indent=2), *notes])
