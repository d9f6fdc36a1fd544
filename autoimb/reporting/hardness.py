"""What the profile says of the data: what makes them hard, in words and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autoimb.markup import element, escape, number, section, verbatim
from autoimb.profiling.interpretation import CAUTION
from autoimb.reporting.chart import Table
from autoimb.reporting.elements import draw_table, fold_away

__all__ = ["render_hardness"]


def render_hardness(profile: Mapping[str, Any]) -> str:
    """Tell what the measures of the data suggest, with the measures to be folded out.

    Parameters
    ----------
    profile : mapping
        As `gather_findings` keeps it.

    Returns
    -------
    str
        HTML.
    """
    lines = profile["text"].split("\n")
    readings = [
        element("li", f"{escape(one['words'])} {element('span', escape(one['evidence']), 'soft')}")
        for one in profile["interpretation"]
    ]
    dropped = list(profile["dropped"].items())
    parts = [
        *(element("p", verbatim(line)) for line in lines),
        element("ul", "".join(readings)) + element("p", escape(CAUTION), "soft")
        if readings
        else "",
        fold_away("Rows that the findings name", _list_rows(profile["rows"])),
        fold_away("Columns left out", draw_table(Table(("column", "why"), dropped))),
        fold_away("All measures", _tabulate(profile["measures"])),
    ]
    return section("What makes them hard", *parts, level=3)


def _list_rows(named: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            one["check"].replace("_", " "),
            f"{one['n']:,}",
            ", ".join(one["rows"]) + (", …" if one["n"] > len(one["rows"]) else ""),
        )
        for one in named
    ]
    return draw_table(Table(("finding", "rows", "which"), rows))


def _tabulate(measures: Mapping[str, Any]) -> str:
    rows = [
        (
            name.replace("_", " "),
            number(one["value"]),
            f"± {one['half_width']:.2g}" if one["half_width"] else "",
            f"the {one['worse']}er, the harder" if one["worse"] else "",
            one["definition"],
        )
        for name, one in measures.items()
    ]
    return draw_table(Table(("measure", "value", "95 %", "", "what it is"), rows))
