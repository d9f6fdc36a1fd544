"""How a model does on untouched rows, beside what the cross-validation promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoimb.final_test import FinalTest
    from autoimb.fitting import FitResult

__all__ = ["untouched_lines"]


def untouched_lines(test: FinalTest | None, result: FitResult) -> str:
    """Show every metric that was promised, the searched one first; nothing without such rows.

    Parameters
    ----------
    test : FinalTest or None
    result : FitResult

    Returns
    -------
    str
    """
    if test is None:
        return ""
    told = {
        name: f"{test.estimates.get(name, 'not defined')}; promised {promised}"
        for name, promised in result.estimates.items()
    }
    first, width = result.metric.name, max(map(len, told))
    lines = [f"On {test.n_rows:,} untouched rows ({test.source}): {first} {told.pop(first)}"]
    lines += [f"  {name:<{width}}  {text}" for name, text in told.items()]
    return "\n".join([*lines, *(f"  note: {note}" for note in test.notes)])
