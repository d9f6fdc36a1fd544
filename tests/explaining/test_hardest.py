from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from autoimb.data.dataset import Schema
from autoimb.explaining.hardest import MAX_CLASSES, N_ROWS, choose_hardest
from autoimb.explaining.table_columns import list_columns


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 10), st.integers(0, 40)), min_size=1),
)
def test_the_hardest_rows_are_those_of_the_lowest_probability(
    rows: list[tuple[int, int, int]],
) -> None:
    y, tenths, same = np.array(rows).T
    proba = np.full((len(y), 7), 0.0)
    proba[np.arange(len(y)), y] = tenths / 10
    found = choose_hardest(y, proba, same)
    sizes = np.bincount(y, minlength=7)
    expected: list[tuple[int, float]] = []
    for k in sorted(set(y.tolist()), key=lambda k: (sizes[k], k))[:MAX_CLASSES]:
        lowest = {s: min(t for c, t, u in rows if (c, u) == (k, s)) for c, _, s in rows if c == k}
        expected += [(k, t / 10) for t in sorted(lowest.values())[:N_ROWS]]
    assert [(int(y[i]), float(proba[i, y[i]])) for i in found] == expected
    assert len({(int(y[i]), int(same[i])) for i in found}) == len(found)


def test_cells_are_shown_as_they_were_written() -> None:
    table = pd.DataFrame(
        {
            "number": [1.5, None, 3.0],
            "city": ["Rome", "Oslo", None],
            "day": ["0001-01-01", "2024-02-29", None],
            "moment": ["2024-05-01 10:30", None, "9999-12-31 23:59"],
            "same": [1, 1, 1],
        }
    )
    schema = Schema.infer(table)
    columns = list_columns(schema)
    shown = [[each.show(row) for each in columns] for row in schema.to_matrix(table)]
    assert [each.name for each in columns] == ["number", "city", "day", "moment"]
    assert shown == [
        [1.5, "Rome", "0001-01-01", "2024-05-01 10:30:00"],
        [None, "Oslo", "2024-02-29", None],
        [3.0, None, None, "9999-12-31 23:59:00"],
    ]
