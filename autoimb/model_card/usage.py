"""What to beware of, how a model is used, and what it was made with."""

from __future__ import annotations

import shlex

from autoimb.evaluation.levels import has_few
from autoimb.model_card.markdown import block, bullets, section, table, text
from autoimb.model_card.subject import Subject, share

__all__ = ["ROWS", "describe_caveats", "describe_loading", "describe_versions"]

# A file that a user may have.
ROWS = "new_rows.csv"


def describe_caveats(subject: Subject) -> str:
    """Say what may make the figures wrong, or the model useless."""
    fit = subject.fit
    told = [
        f"**{one['severity'].capitalize()}:** {text(one['evidence'])} {text(one['advice'])}"
        for one in fit.get("findings", ())
    ]
    told += [text(fit["power"])] if fit and has_few(fit["n_rarest"]) else []
    told += [_tell_drift(subject), _tell_prevalence(subject)]
    notes = [*fit.get("notes", ()), *subject.test.get("notes", ())]
    return section(
        "Caveats",
        bullets(told),
        "What the fit noted:" if notes else "",
        bullets(map(text, notes)),
    )


def _tell_drift(subject: Subject) -> str:
    if not subject.asked:
        return ""
    if subject.asked["time"] is not None:
        return (
            "It was scored on later rows than it was trained on. What changes after the last of "
            "them it does not know."
        )
    return (
        "What time does to it is not known: folds were dealt at random. Score it on later rows, "
        "or fit with `--time COLUMN`."
    )


def _tell_prevalence(subject: Subject) -> str:
    if subject.is_retargeted or not subject.shares:
        return ""
    where, prevalence = "the classes are as frequent as in the data", subject.prevalence
    if prevalence is not None:
        where = f"{share(prevalence)} of the rows are {subject.positive}"
    return (
        f"Probabilities and decision hold where {where}. `autoimb retarget` aims them at rows "
        "where that is otherwise."
    )


def describe_loading(subject: Subject) -> str:
    """Show how the model is loaded, and asked."""
    by_name = all(isinstance(c.name, str) for c in subject.model.schema.columns)
    rows = f"pd.read_csv({ROWS!r}, header=None).to_numpy()  # columns in the order above"
    if by_name:
        rows = f"pd.read_csv({ROWS!r}, dtype=dict.fromkeys(model.schema.text_columns, str))"
    lines = [
        "import autoimb",
        "import pandas as pd",
        "",
        f"model = autoimb.load({subject.file!r})  # with its manifest beside it",
        f"rows = {rows}",
        "labels = model.predict(rows)",
        "probabilities = model.predict_proba(rows)  # columns as in model.classes_",
    ]
    shell = f"autoimb predict {shlex.quote(subject.file)} {ROWS} --out predictions.csv"
    passed = "A row that is passed on has no label (`None`)."
    return section(
        "Use",
        block("\n".join(lines), "python"),
        block(shell, "sh") if by_name else "",
        passed if subject.model.decision.passed_on else "",
        "A model file is a pickle, which can run any code when it is loaded: load only what you "
        "trust.",
    )


def describe_versions(subject: Subject) -> str:
    """List what the model was made with, and when."""
    manifest = subject.manifest
    rows = {**manifest["versions"], "made": manifest["created"], "changed": manifest.get("changed")}
    shown = [(name, text(found)) for name, found in rows.items() if found is not None]
    return section(
        "Versions",
        table(("what", "value"), [*shown, ("sha256 of the model", f"`{manifest['sha256']}`")]),
    )
