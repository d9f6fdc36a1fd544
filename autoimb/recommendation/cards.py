"""A recommendation and a leaderboard as fragments for notebooks."""

from __future__ import annotations

from typing import Any

import pandas as pd

from autoimb.markup import element, escape, number, verbatim, wrap
from autoimb.recommendation.advice import Recommendation
from autoimb.recommendation.leaderboard import Leaderboard
from autoimb.recommendation.words import SURETIES

__all__ = ["list_strategies", "render_leaderboard", "render_recommendation"]

MAX_ROWS = 20
STYLE = """
.autoimb.sheet { padding: 14px 20px 16px; max-width: 960px; border: 1px solid var(--line);
  border-radius: 6px; }
.autoimb.sheet .lead { font-size: 17px; margin: 2px 0 6px; }
.autoimb.sheet .tiles { margin-bottom: 10px; }
.autoimb.sheet table { width: auto; }
.autoimb.sheet td.head { color: var(--soft); white-space: nowrap; }
.autoimb.sheet tr.exported td { font-weight: 600; }
.autoimb.sheet td .badge { margin: 0 0 0 8px; white-space: nowrap; font-weight: normal; }
"""


def render_recommendation(found: Recommendation) -> str:
    """Write a recommendation with all its reasons.

    Parameters
    ----------
    found : Recommendation

    Returns
    -------
    str
        HTML of one element.

    Examples
    --------
    >>> found = Recommendation("Predict '<b>'.", "threshold", "clear", "Predict '<b>'.", ())
    >>> "Predict &#x27;&lt;b&gt;&#x27;." in render_recommendation(found)
    True
    """
    tone, words = SURETIES[found.surety]
    badge = element("p", element("span", escape(words), "badge"), tone)
    parts = [element("p", verbatim(found.strategy), "lead"), badge]
    if found.best != found.strategy:
        parts.append(element("p", f"Best-scoring: {verbatim(found.best)}", "soft"))
    rows = [
        element("td", escape(one.kind.replace("_", " ")), "head")
        + element("td", verbatim(one.sentence))
        for one in found.reasons
    ]
    if rows:
        parts.append(element("table", element("tbody", "".join(element("tr", r) for r in rows))))
    return wrap("sheet", STYLE, *parts)


def render_leaderboard(board: Leaderboard) -> str:
    """Write a leaderboard, its first rows if it is long.

    Parameters
    ----------
    board : Leaderboard

    Returns
    -------
    str
        HTML of one element.
    """
    title = element("p", f"Strategies by {escape(_spell(board.metric))}, cross-validated", "lead")
    return wrap("sheet", STYLE, title, list_strategies(board, MAX_ROWS))


def list_strategies(board: Leaderboard, most: int) -> str:
    """Write the first rows of a leaderboard as a table.

    Parameters
    ----------
    board : Leaderboard
    most : int
        Rows.

    Returns
    -------
    str
        HTML.
    """
    heads = ["", "strategy", "decision", _spell(board.metric), "± over folds", "trials"]
    # How thoroughly is told where not all were evaluated alike.
    tells_level = board["evaluated"].nunique() > 1
    heads += ["evaluated on"] * tells_level
    numeric = {heads[0], *heads[3:6]}
    head = "".join(
        f'<th scope="col"{_numeric(name in numeric)}>{escape(name)}</th>' for name in heads
    )
    shown = board.head(most).reset_index(drop=True)
    rows = [_row(place, row, tells_level) for place, row in shown.iterrows()]
    table = element(
        "table", element("thead", element("tr", head)) + element("tbody", "".join(rows))
    )
    more = len(board) - len(shown)
    note = element("p", f"and {more:,} more", "soft") if more else ""
    return element("div", table, "scroll") + note


def _row(place: Any, row: pd.Series[Any], tells_level: bool) -> str:
    badges = '<span class="badge good">exported</span>' if row["exported"] else ""
    if not row["calibrated"]:
        badges += '<span class="badge warning">not calibrated</span>'
    cells = [
        element("td", str(place + 1), "number"),
        element("td", verbatim(row["strategy"]) + badges),
        element("td", escape(row["decision"])),
        element("td", f"{row['score']:.3f}", "number"),
        element("td", f"{row['spread']:.3f}", "number"),
        element("td", number(row["trials"]), "number"),
    ]
    cells += [element("td", escape(row["evaluated"]))] * tells_level
    return element("tr", "".join(cells), "exported" if row["exported"] else "")


def _numeric(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _spell(name: str) -> str:
    return name.replace("_", " ")
