from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autoimb
from autoimb.profiling.checks import CHECKS
from autoimb.profiling.findings import SEVERITIES, Finding

N, RARE = 600, 60
REST = N - RARE
Y = np.repeat(["no", "yes"], [REST, RARE])
DAY = pd.Timestamp("2024-01-01")

Labels = Any
Expected = tuple[str, str, str, tuple[str, ...]]


def clean(seed: int = 0, n: int = N, n_rare: int = RARE, **columns: Any) -> pd.DataFrame:
    """A table without a fault: two columns that help, and one of every kind that does not."""
    rng = np.random.default_rng(seed)
    is_rare = np.arange(n) >= n - n_rare
    seconds = rng.integers(0, 3 * 365 * 86_400, n)
    table = {
        "amount": rng.normal(size=n) + 1.5 * is_rare,
        "weight": rng.lognormal(size=n) * (1 + is_rare),
        "age": rng.integers(18, 80, n),
        "city": rng.choice(["Rome", "Oslo", "Lima"], n),
        "member": rng.random(n) < 0.5,
        "opened": DAY + pd.to_timedelta(seconds, unit="s"),
    }
    return pd.DataFrame({**table, **columns})


def between(n_below: float) -> Any:
    """A column whose rare rows stand above so many of the rest."""
    return np.r_[np.arange(REST), np.full(RARE, n_below - 0.5)]


def days(*numbers: Any) -> Any:
    """Dates with a time of the day."""
    seconds = np.random.default_rng(1).integers(0, 86_400, N)
    return DAY + pd.to_timedelta(np.r_[numbers], unit="D") + pd.to_timedelta(seconds, unit="s")


def where(rows: Any, cell: Any, otherwise: Any) -> Any:
    found = np.full(N, otherwise, dtype=object)
    found[rows] = cell
    return pd.Series(found).infer_objects()


def gaps(*rows: Any) -> Any:
    cells = np.random.default_rng(2).normal(size=N)
    cells[np.r_[rows]] = np.nan
    return cells


def repeated(table: pd.DataFrame, first: Any, again: Any) -> pd.DataFrame:
    table.iloc[again] = table.iloc[first].to_numpy()
    return table.infer_objects()


def told(findings: tuple[Finding, ...]) -> list[Expected]:
    return [(f.check, f.severity, f.evidence, f.columns) for f in findings]


def leak(column: str, auc: str, severity: str = "critical", label: str = "yes") -> Expected:
    text = f"Column '{column}' alone tells class '{label}' from the rest with a ROC AUC of {auc}."
    return ("leak_suspect", severity, text, (column,))


def leak_by_gaps(auc: str) -> Expected:
    text = f"A gap in 'x' tells class 'yes' from the rest with a ROC AUC of {auc}."
    return ("leak_suspect", "critical", text, ("x",))


def gap(label: str, n: int, of: int) -> Expected:
    text = f"Column 'x' is missing in class '{label}' only: {n} of its {of} rows, none elsewhere."
    return ("missing_in_one_class", "warning", text, ("x",))


def date(when: str, auc: str) -> Expected:
    text = f"Rows of class 'yes' are {when} in 'x': the time alone has a ROC AUC of {auc}."
    return ("date_orders_label", "warning", text, ("x",))


def few(text: str) -> Expected:
    return ("few_positives", "warning", f"Class 'yes' has {text}, fewer than 50.", ())


def identifier(column: str) -> Expected:
    text = f"Column '{column}' has a different whole number in every row, like an identifier."
    return ("identifier", "warning", text, (column,))


def constant(text: str, check: str = "constant") -> Expected:
    return (check, "note", f"Column 'x' {text}.", ("x",))


def copies(text: str) -> Expected:
    return ("duplicate_rows", "note", f"{text}.", ())


def levels(text: str) -> Expected:
    return ("high_cardinality", "note", f"Column 'x' has {text}.", ("x",))


def same(column: str, like: str) -> Expected:
    text = f"Column '{column}' says the same as '{like}' (correlation beyond 0.999)."
    return ("near_duplicate_columns", "note", text, (like, column))


RNG = np.random.default_rng(3)
SPREAD = RNG.choice(10**6, N, replace=False)
NORMAL = RNG.normal(size=N)
FEW = {n: np.repeat(["no", "yes"], [N - n, n]) for n in (1, 9, 49, 50)}
EVERY_TENTH = np.where(np.arange(N) % 10, "no", "yes")
THREE = np.repeat(["a", "b", "c"], [480, 65, 55])
LATE = np.where(np.arange(REST) == 431, 431.9999, np.arange(REST))  # one row ends the day
# Name of a finding, table, labels, and everything that is found.
TRIGGERS: dict[str, tuple[pd.DataFrame, Labels, list[Expected]]] = {
    "perfect leak": (clean(x=between(REST)), Y, [leak("x", "1.000")]),
    "leak the other way round": (clean(x=-between(REST)), Y, [leak("x", "1.000")]),
    "nearly perfect leak": (
        clean(x=np.r_[between(REST)[:-1], REST - 16.5]), Y, [leak("x", "0.999")]
    ),
    "leak that may be none": (clean(x=between(537)), Y, [leak("x", "0.994", "warning")]),
    "leak of a category": (clean(x=where(Y == "yes", "shut", "open")), Y, [leak("x", "1.000")]),
    "two leaks": (
        clean(x=between(REST), z=RNG.permutation(REST).tolist() + [538.5] * RARE),
        Y,
        [leak("x", "1.000"), leak("z", "0.998", "warning")],
    ),
    "leak of a class that is not the rarest": (
        clean(x=NORMAL + 20 * (THREE == "b")), THREE, [leak("x", "1.000", label="b")]
    ),
    "missing in the rare class only": (
        clean(x=gaps(range(REST, REST + 20))), Y, [gap("yes", 20, 60)]
    ),
    "missing in the frequent class only": (clean(x=gaps(range(100))), Y, [gap("no", 100, 540)]),
    "missing categories": (
        clean(x=where(np.r_[REST : REST + 9], None, RNG.choice(["a", "b"], N))),
        Y,
        [gap("yes", 9, 60)],
    ),
    "later": (clean(x=days(LATE, [431] * RARE)), Y, [date("later", "0.798")]),
    "earlier": (clean(x=days(-LATE, [-431] * RARE)), Y, [date("earlier", "0.798")]),
    "one positive": (clean(), FEW[1], [few("1 row")]),
    "49 positives": (clean(), FEW[49], [few("49 rows")]),
    "numbered rows": (clean(x=range(N)), EVERY_TENTH, [identifier("x")]),
    "numbered backwards": (clean(x=range(5 * N, 0, -5)), EVERY_TENTH, [identifier("x")]),
    "numbered without order": (clean(x=1000 + RNG.permutation(N)), Y, [identifier("x")]),
    "numbers named so": (clean(customer_id=SPREAD), Y, [identifier("customer_id")]),
    "numbers named so in camel case": (clean(customerId=SPREAD), Y, [identifier("customerId")]),
    "a text for each row": (
        clean(x=[f"person {i}" for i in range(N)]),
        Y,
        [("identifier", "note", "Column 'x' has a different text in nearly every row.", ("x",))],
    ),
    "always the same number": (clean(x=7), Y, [constant("is always the same")]),
    "always the same text": (clean(x="a"), Y, [constant("is always the same")]),
    "never filled": (clean(x=np.nan), Y, [constant("is always missing")]),
    "nearly constant": (
        clean(x=where([5, 6, 7, REST, REST + 1], 1, 0)),
        Y,
        [constant("has one value in all but 5 rows, 2 of them of class 'yes'", "near_constant")],
    ),
    "nearly constant text": (
        clean(x=where([5], "b", "a")),
        Y,
        [constant("has one value in all but 1 row, 0 of them of class 'yes'", "near_constant")],
    ),
    "copies within the classes": (
        repeated(clean(), np.r_[:20, REST : REST + 10], np.r_[20:40, REST + 10 : REST + 20]),
        Y,
        [copies("30 of 600 rows repeat an earlier one (5.0%)")],
    ),
    "copies across the classes": (
        repeated(clean(), np.r_[:3], np.r_[REST : REST + 3]),
        Y,
        [
            (
                "label_conflicts",
                "warning",
                "6 rows equal a row with another label, 3 of them of class 'yes'.",
                (),
            ),
            copies(
                "3 of 600 rows repeat an earlier one (0.5%); 6 rows have a copy in another class"
            ),
        ],
    ),
    "many levels": (
        clean(x=[f"v{i % 60}" for i in range(N)]),
        Y,
        [levels("60 levels, 10.0 rows each on average")],
    ),
    "more levels than are told apart": (
        clean(n=3000, n_rare=300, x=[f"v{i % 1500}" for i in range(3000)]),
        np.repeat(["no", "yes"], [2700, 300]),
        [levels("1,000 levels or more")],
    ),
    "a column in another unit": (
        clean(x=clean()["weight"] * 2.2 + 1), Y, [same("x", "weight")]
    ),
    "a column reversed": (clean(x=-clean()["age"]), Y, [same("x", "age")]),
    "a column three times": (
        clean(x=NORMAL, y=NORMAL, z=NORMAL), Y, [same("y", "x"), same("z", "x")]
    ),
    "a copy with gaps": (
        clean(x=gaps(3, REST), z=gaps(3, REST)), Y, [same("z", "x")]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("table", "y", "expected"), TRIGGERS.values(), ids=list(TRIGGERS))
def test_what_is_found(table: pd.DataFrame, y: Labels, expected: list[Expected]) -> None:
    findings = autoimb.profile(table, y).findings
    assert told(findings) == expected
    assert all(finding.advice.endswith(".") for finding in findings)


def test_every_check_has_a_table_that_it_finds_fault_with() -> None:
    found = {check for _, _, expected in TRIGGERS.values() for check, *_ in expected}
    assert found | {"label_noise"} == set(CHECKS)  # flipped labels are below


def large(seen: Any, unseen: Any) -> dict[str, Any]:
    """5,000 rows of which only every second is looked at first."""
    return {"n": 5000, "n_rare": 500, "x": np.column_stack([seen, unseen]).ravel()}


LARGE_Y = np.repeat(["no", "yes"], [4500, 500])
HALF = np.arange(2500)
NEAR_MISSES: dict[str, tuple[str, pd.DataFrame, Labels]] = {
    "an AUC of .95": ("leak_suspect", clean(x=between(513)), Y),
    "an AUC of .989": ("leak_suspect", clean(x=between(534)), Y),
    "nine positives apart": ("leak_suspect", clean(x=NORMAL + 20 * (FEW[9] == "yes")), FEW[9]),
    "missing in both": ("missing_in_one_class", clean(x=gaps(0, range(REST, REST + 20))), Y),
    "missing in one by chance": ("missing_in_one_class", clean(x=gaps(REST, REST + 1)), Y),
    "missing in the larger by chance": ("missing_in_one_class", clean(x=gaps(range(20))), Y),
    "a date unrelated": ("date_orders_label", clean(), Y),
    "a date hardly related": ("date_orders_label", clean(x=days(LATE, [300] * RARE)), Y),
    "a date of few positives": (
        "date_orders_label", clean(x=days(RNG.permutation(N))), FEW[9]
    ),
    "50 positives": ("few_positives", clean(n_rare=50), FEW[50]),
    "copies within a class": ("label_conflicts", repeated(clean(), np.r_[:3], np.r_[3:6]), Y),
    "amounts": ("identifier", clean(x=RNG.lognormal(8, 1, N).round(2)), Y),
    "whole amounts, all different": ("identifier", clean(x=SPREAD), Y),
    "a name that ends as an id does": ("identifier", clean(amount_paid=SPREAD), Y),
    "49 numbered rows": (
        "identifier", pd.DataFrame({"x": range(49)}), np.where(np.arange(49) % 5, "no", "yes")
    ),
    "numbers that repeat in unseen rows": (
        "identifier", clean(**large(2 * HALF, 2 * HALF)), LARGE_Y
    ),
    "differs in 2 % of the rows": ("near_constant", clean(x=where(np.r_[:12], 1, 0)), Y),
    "constant in seen rows only": ("near_constant", clean(**large(0 * HALF, HALF)), LARGE_Y),
    "50 levels": ("high_cardinality", clean(x=[f"v{i % 50}" for i in range(N)]), Y),
    "many numbers": ("high_cardinality", clean(x=range(N)), Y),
    "much alike": (
        "near_duplicate_columns", clean(x=NORMAL, z=NORMAL + RNG.normal(scale=0.1, size=N)), Y
    ),
    "the same in seen rows only": (
        "near_duplicate_columns",
        clean(**large(HALF, HALF), z=np.column_stack([HALF, HALF[::-1]]).ravel()),
        LARGE_Y,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("check", "table", "y"), NEAR_MISSES.values(), ids=list(NEAR_MISSES))
def test_what_is_no_fault(check: str, table: pd.DataFrame, y: Labels) -> None:
    assert check not in [finding.check for finding in autoimb.profile(table, y).findings]


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_table(seed: int) -> None:
    assert told(autoimb.profile(clean(seed), Y).findings) == []


def test_a_column_filled_for_one_class_but_for_slips_is_suspected() -> None:
    cells = gaps(range(1, REST), REST)
    assert ("x",) in [f.columns for f in autoimb.profile(clean(x=cells), Y).findings]


def test_a_date_that_orders_the_label_is_to_split_the_rows() -> None:
    findings = autoimb.profile(clean(x=days(LATE, [431] * RARE)), Y).findings
    assert [finding.advice for finding in findings] == [
        "Folds that mix the times promise too much: let the past train and the future test "
        "(--time x), or leave the column out (--drop)."
    ]


ANY_DAY = np.random.default_rng(4).permutation(N)
DATES: dict[str, tuple[Any, list[Expected]]] = {
    "days, one of each": (DAY + pd.to_timedelta(ANY_DAY, unit="D"), []),
    "days in order": (DAY + pd.to_timedelta(np.arange(N), unit="D"), []),
    "times of one year": (days(ANY_DAY // 2), []),
    "a century": (days(ANY_DAY * 60), []),
    "missing in one class": (
        days(ANY_DAY).to_series().where(EVERY_TENTH == "no", None).to_numpy(),
        [leak_by_gaps("1.000"), gap("yes", 60, 60)],
    ),
    "apart": (
        days(ANY_DAY + 1000 * (EVERY_TENTH == "yes")),
        [leak("x", "1.000"), date("later", "1.000")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("dates", "expected"), DATES.values(), ids=list(DATES))
def test_a_date_is_one_column_whatever_becomes_of_it(dates: Any, expected: list[Expected]) -> None:
    assert told(autoimb.profile(clean(x=dates), EVERY_TENTH).findings) == expected


def flipped(seed: int, apart: float = 8.0) -> tuple[pd.DataFrame, Labels, set[int]]:
    """Two clouds, and five rows of the larger that carry the label of the other."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(N, 4)), Y.copy()
    X[REST:] += apart / 2
    rows = rng.choice(REST, 5, replace=False)
    y[rows] = "yes"
    return pd.DataFrame(X, columns=list("abcd")), y, set(rows.tolist())


def noise(source: Any, y: Labels = None) -> tuple[Any, ...]:
    findings = autoimb.profile(source, y).findings
    found = [finding for finding in findings if finding.check == "label_noise"]
    for finding in found:
        assert finding.severity == "warning"
        assert finding.evidence.startswith(f"{len(finding.rows)} of the ")
        assert " rows of class 'yes' look like the rest" in finding.evidence
    return found[0].rows if found else ()


def nearly(found: set[Any], expected: set[Any]) -> bool:
    """One may be missed: two wrong rows side by side vouch for each other."""
    return found <= expected and len(found) >= len(expected) - 1


@pytest.mark.parametrize("seed", range(3))
def test_flipped_labels_are_named(seed: int) -> None:
    table, y, rows = flipped(seed)
    assert nearly(set(noise(table, y)), rows)


def test_flipped_labels_are_named_by_the_index() -> None:
    table, y, rows = flipped(0)
    table.index = pd.Index([f"patient {i}" for i in range(N)])
    assert nearly(set(noise(table, y)), {f"patient {i}" for i in rows})


@pytest.mark.parametrize("n_before", [0, 7])
def test_flipped_labels_are_named_by_their_place_in_the_file(tmp_path: Path, n_before: int) -> None:
    table, y, rows = flipped(0)
    unlabelled = table.head(n_before).assign(target=None)
    pd.concat([unlabelled, table.assign(target=y)]).to_csv(tmp_path / "data.csv", index=False)
    assert nearly(set(noise(tmp_path / "data.csv")), {i + n_before for i in rows})


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0, 8.0])
def test_honest_labels_are_not_doubted(seed: int, apart: float) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 2)) + apart / 2**0.5 * (Y == "yes")[:, None]
    assert noise(pd.DataFrame(X), Y) == ()


@pytest.mark.parametrize("seed", range(3))
def test_labels_at_random_are_not_noise(seed: int) -> None:
    assert noise(clean(seed), np.random.default_rng(seed).permutation(Y)) == ()


INDEXES: dict[str, tuple[Any, list[Any]]] = {
    "places": (pd.RangeIndex(N), [0, 599]),
    "numbers": (np.arange(N) + 1000, [1000, 1599]),
    "names": ([f"r{i}" for i in range(N)], ["r0", "r599"]),
    "repeated": (np.arange(N) // 2, [0, 299]),
    "dates": (DAY + pd.to_timedelta(np.arange(N), unit="D"),
              ["2024-01-01 00:00:00", "2025-08-22 00:00:00"]),
    "pairs": (pd.MultiIndex.from_arrays([np.arange(N), ["a"] * N]), ["(0, 'a')", "(599, 'a')"]),
}  # fmt: skip


@pytest.mark.parametrize(("index", "expected"), INDEXES.values(), ids=list(INDEXES))
def test_rows_are_called_as_in_the_index(index: Any, expected: list[Any]) -> None:
    table = repeated(clean(), [0], [N - 1]).set_axis(index)
    (found,) = [f for f in autoimb.profile(table, Y).findings if f.check == "label_conflicts"]
    assert list(found.rows) == expected
    assert json.loads(json.dumps(found.to_dict())) == {
        **found.to_dict(),
        "columns": [],
        "rows": expected,
    }


def test_the_worst_come_first() -> None:
    profile = autoimb.profile(clean(one=1, a=between(537), b=between(REST)), Y)
    severities = [finding.severity for finding in profile.findings]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert set(severities) == set(SEVERITIES)
    assert set(profile.severities()) == {finding.check for finding in profile.findings}


def test_of_several_findings_of_a_check_the_worst_is_its_severity() -> None:
    profile = autoimb.profile(clean(a=between(537), b=between(REST)), Y)
    assert profile.severities()["leak_suspect"] == "critical"


def test_findings_are_plain_values() -> None:
    profile = autoimb.profile(repeated(clean(one=1, x=between(REST)), [0], [1]), Y)
    plain = json.loads(json.dumps(profile.to_dict(), allow_nan=False))["findings"]
    assert [f["evidence"] for f in plain] == [f.evidence for f in profile.findings]
    assert {tuple(f) for f in plain} == {
        ("check", "severity", "evidence", "advice", "columns", "rows")
    }
