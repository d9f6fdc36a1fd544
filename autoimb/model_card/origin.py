"""What a model is for, the data it is of, and how it was evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autoimb.data.columns import Column
from autoimb.model_card.markdown import bullets, code, section, table, text
from autoimb.model_card.subject import Subject, share

__all__ = ["describe_data", "describe_evaluation", "describe_use"]

# Of columns; of classes, and of the levels of a column. The manifest lists all columns.
MAX_COLUMNS, MAX_CLASSES, MAX_LEVELS = 60, 20, 3


def describe_use(subject: Subject) -> str:
    """Say what the model is for, and what it is not for."""
    origin = f"those of {code(subject.fit['name'])}" if subject.fit else "those it was trained on"
    return section(
        "Intended use",
        bullets(
            [
                f"For rows like {origin}: {_expected_shares(subject)}the same columns, filled in "
                "the same way.",
                "The probability is for ranking rows and for weighing costs, the label for acting "
                "by the decision below.",
                "Not for rows of another origin or a later time until `autoimb evaluate` has shown "
                "on labelled ones that it holds there.",
                "Not for telling causes: what goes with a class need not bring it about.",
                "Not for deciding about people on its own: whether it errs more often on some "
                "groups of them was not examined.",
            ]
        ),
    )


def _expected_shares(subject: Subject) -> str:
    if not subject.is_binary:
        return "classes about as frequent, "
    aimed = subject.model.prevalence
    part = subject.prevalence if aimed is None else aimed[1]
    return "" if part is None else f"about {share(part)} of them {subject.positive}, "


def describe_data(subject: Subject) -> str:
    """Describe the data: what they are called, rows, classes, columns."""
    columns = subject.model.schema.columns
    used = [column for column in columns if column.kind != "dropped"]
    unused = [(code(c.name), text(c.why_dropped)) for c in columns if c.kind == "dropped"]
    unused += [(code(name), "left out as asked") for name in subject.asked.get("drop", ())]
    return section(
        "Data",
        table(("what", "value"), _list_facts(subject)),
        f"Columns that it reads ({len(used):,}):",
        table(("column", "read as"), [_describe_column(column) for column in used[:MAX_COLUMNS]]),
        _tell_more(len(used)),
        f"Columns that it does not read ({len(unused):,}):" if unused else "",
        table(("column", "why"), unused[:MAX_COLUMNS]),
        _tell_more(len(unused)),
    )


def _tell_more(n: int) -> str:
    return f"And {n - MAX_COLUMNS:,} more." if n > MAX_COLUMNS else ""


def _list_facts(subject: Subject) -> list[tuple[str, str]]:
    """List what there is to tell, fact by fact."""
    fit, asked, n_rows = subject.fit, subject.asked, subject.manifest.get("n_rows")
    digest = asked.get("data_sha256")
    names = {
        "name": fit.get("name"),
        "file": asked.get("data"),
        "target": subject.model.target,
        "positive class": subject.model.labels.positive if subject.is_binary else None,
        "rows belong together by": asked.get("groups"),
        "rows follow each other by": asked.get("time"),
        "sha256 of columns, rows and labels": digest,
    }
    facts = {what: code(name) for what, name in names.items() if name is not None}
    facts |= {} if n_rows is None else {"rows": f"{n_rows:,}"}
    facts |= {"missing cells": share(fit["missing_share"])} if fit else {}
    facts |= {"classes": ", ".join(_list_classes(subject))} if subject.shares else {}
    return [(what, facts[what]) for what in FACTS if what in facts]


# In the order in which they are told.
FACTS = (
    "name", "file", "target", "rows", "classes", "positive class", "missing cells",
    "rows belong together by", "rows follow each other by", "sha256 of columns, rows and labels",
)  # fmt: skip


def _list_classes(subject: Subject) -> Iterator[str]:
    counts = subject.manifest.get("class_counts", {})
    for name, part in list(subject.shares.items())[:MAX_CLASSES]:
        yield code(name) + (f" {counts[name]:,}" if name in counts else "") + f" ({share(part)})"
    n_more = len(subject.shares) - MAX_CLASSES
    if n_more > 0:
        yield f"and {n_more:,} more"


def _describe_column(column: Column) -> tuple[str, str]:
    n = len(column.levels)
    shown = ", ".join(map(code, column.levels[:MAX_LEVELS]))
    levels = f" of {n:,}: {shown}{', …' * (n > MAX_LEVELS)}" if n else ""
    return code(column.name), f"{column.kind}{levels}"


def describe_evaluation(subject: Subject) -> str:
    """Say how the figures were come by."""
    steps = _list_steps(subject) if subject.fit else ()
    return section("How it was evaluated", bullets(steps))


def _list_steps(subject: Subject) -> Iterator[str]:
    fit, n_rows, max_rows = subject.fit, subject.manifest["n_rows"], subject.fit["max_rows"]
    yield (
        f"By cross-validation: no row was scored by a model that had seen it{_name_folds(subject)}."
    )
    yield _describe_split(subject.asked)
    yield (
        "Samplers, weights, encodings, calibration and thresholds were fitted without the rows "
        "that they were scored on."
    )
    if fit["n_scored"] < n_rows:
        yield f"{fit['n_scored']:,} of the {n_rows:,} rows were scored."
    if fit["level"]["max_rows"] is not None:
        yield f"The models that scored were trained on {fit['level']['max_rows']:,} rows at most."
    if fit["n_tried"] > 1:
        yield f"It was chosen among {fit['n_tried']:,} complete trials."
    yield f"Then it was trained on {'all rows' if max_rows is None else f'{max_rows:,} rows'}."
    if test := subject.test:
        yield (
            f"At the end it was scored once on {test['n_rows']:,} rows that nothing of the fit had "
            f"seen ({text(test['source'])})."
        )


def _name_folds(subject: Subject) -> str:
    n, n_repeats = subject.fit["level"]["n_folds"], subject.fit["n_repeats"]
    parts = [f"{n} fold{'s' * (n > 1)}"]
    if n_repeats:
        further = "another dealing" if n_repeats == 1 else f"{n_repeats} further dealings"
        parts.append(f"averaged over {further} of rows to folds")
    parts += [f"seed {subject.asked['seed']}"] if subject.asked else []
    return f" ({', '.join(parts)})"


def _describe_split(asked: Mapping[str, Any]) -> str:
    found = "Rows were dealt to folds at random, each class alike; exact copies stayed together."
    if asked.get("time"):
        found = f"Models of what came before scored what came after, by {code(asked['time'])}."
    if asked.get("groups"):
        found += f" Rows of one {code(asked['groups'])} were never on both sides of a split."
    return found
