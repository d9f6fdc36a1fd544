"""The commands, or the calls, that make a model again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.stating import criterion_from_dict, resolve_criterion, state_options
from autoimb.manifest import manifest_path
from autoimb.model_card.markdown import block, code, section
from autoimb.model_card.subject import Subject
from autoimb.model_card.usage import ROWS
from autoimb.strategy.space_files import shipped_spaces

__all__ = ["describe_remaking"]

# Files that a user may have: of costs, and of the table that was given as a frame.
COSTS, TABLE = "costs.csv", "table.csv"


def describe_remaking(subject: Subject) -> str:
    """Show what made the model, and what makes the same again."""
    asked = subject.asked
    if not asked:
        return ""
    timed = " It ends by the clock, so that another machine tries more or fewer strategies."
    manifest = code(manifest_path(Path(subject.file)).name)
    return section(
        "Make it again",
        f"This asks for the same search.{timed * bool(asked['time_budget'])}",
        _spell_call(subject) if asked["data"] is None else _spell_command(subject),
        *_list_replay(asked),
        *_list_changes(subject),
        f"Every parameter of the strategies stands in {manifest}.",
    )


def _criterion(asked: Mapping[str, Any]) -> Criterion | None:
    """Return what the decision was asked for; None if it is what goes without saying."""
    found = criterion_from_dict(asked["criterion"])
    return None if found == resolve_criterion(None, asked["metric"]) else found


def _spell_command(subject: Subject) -> str:
    asked, criterion = subject.asked, _criterion(subject.asked)
    by_test = asked["holdout"] is None
    given = {
        "--target": asked["target"],
        "--positive": asked["positive"],
        "--metric": asked["metric"],
        "--budget": asked["time_budget"] and f"{asked['time_budget']:g}s",
        "--trials": asked["n_trials"],
        "--space": _name_space(asked),
        "--folds": asked["n_folds"],
        "--seed": asked["seed"],
        "--groups": asked["groups"],
        "--time": asked["time"],
        "--holdout": asked["holdout"],
        "--test": asked["test_data"] if by_test else None,
        "--threads": _name_threads(asked),
        "--prefer": _name_preference(subject),
    }
    options = [part for flag, value in given.items() if value is not None for part in (flag, value)]
    options += [] if criterion is None else state_options(criterion, COSTS)
    options += [part for name in asked["drop"] for part in ("--drop", name)]
    options += [] if asked["blend"] else ["--no-blend"]
    return block(shlex.join(map(str, ["autoimb", "fit", asked["data"], *options])), "sh")


def _name_space(asked: Mapping[str, Any]) -> str | None:
    name = str(asked["space"])
    if name == "default":
        return None
    return name if name in shipped_spaces() else f"{name}.toml"


def _name_threads(asked: Mapping[str, Any]) -> int | None:
    return asked["n_threads"] if asked["n_threads"] > 1 else None


def _name_preference(subject: Subject) -> str | None:
    return "simple" if subject.fit["prefer"] == "simple" else None


def _spell_call(subject: Subject) -> str:
    """Spell what was asked in Python, of a table that was no file."""
    asked, criterion = subject.asked, _criterion(subject.asked)
    given = {
        "positive": subject.model.labels.positive,
        "metric": asked["metric"],
        "n_trials": asked["n_trials"],
        "space": _name_space(asked),
        "n_folds": asked["n_folds"],
        "random_state": asked["seed"],
        "groups": asked["groups"],
        "time": asked["time"],
        "holdout": asked["holdout"],
        "drop": asked["drop"] or None,
        "n_threads": _name_threads(asked),
        "prefer": _name_preference(subject),
        "blend": None if asked["blend"] else False,
    }
    stated = {name: repr(value) for name, value in given.items() if value is not None}
    # Left out it would be a minute.
    stated["time_budget"] = repr(asked["time_budget"])
    stated |= {} if criterion is None else {"decision": _spell_criterion(criterion)}
    stated |= {"test": "test_rows"} if asked["test_data"] and asked["holdout"] is None else {}
    needs_import = criterion is not None and not isinstance(criterion, BestMetric)
    objects = [type(criterion).__name__] * needs_import
    return block("\n".join(_call(asked, stated, objects)), "python")


def _call(asked: Mapping[str, Any], stated: Mapping[str, str], objects: list[str]) -> list[str]:
    lines = [f"    {name}={value}," for name, value in stated.items()]
    if asked["call"] == "AutoImbClassifier":
        names = ", ".join(["AutoImbClassifier", *objects])
        begun = [f"from autoimb import {names}", "", "search = AutoImbClassifier("]
        return [*begun, *lines, ")", "search.fit(X, y)"]
    imports = ["import autoimb", *(f"from autoimb import {name}" for name in objects)]
    return [*imports, "", "autoimb.fit(", "    table,", f"    {asked['target']!r},", *lines, ")"]


def _spell_criterion(criterion: Criterion) -> str:
    """Spell a decision as Python does, without what goes without saying."""
    if isinstance(criterion, BestMetric):
        return repr(criterion.name)
    told = [
        f"{field.name}={getattr(criterion, field.name)!r}"
        for field in fields(criterion)  # type: ignore[arg-type]
        # How many rows a capacity is stated for follows from the table.
        if getattr(criterion, field.name) != field.default and field.name != "of"
    ]
    return f"{type(criterion).__name__}({', '.join(told)})"


def _list_replay(asked: Mapping[str, Any]) -> Iterator[str]:
    if asked["run"] is None:
        return
    yield "This fits the very same model again, by what the run's folder tells:"
    yield block(
        shlex.join(["autoimb", "replay", asked["run"], "--data", asked["data"] or TABLE]), "sh"
    )


def _list_changes(subject: Subject) -> Iterator[str]:
    """Show what changed the model after the fit."""
    model, file = subject.model, subject.file
    criterion, commands = model.decision.criterion, []
    if criterion != criterion_from_dict(subject.asked["criterion"]):
        commands.append(["autoimb", "retune", file, *state_options(criterion, COSTS)])
    if model.prevalence is not None:
        aimed = ["--prevalence", f"{model.prevalence[1]:.6g}"]
        commands.append(
            ["autoimb", "retarget", file, *(aimed if subject.is_binary else ["--from", ROWS])]
        )
    if commands:
        yield "This changed it afterwards:"
        yield block("\n".join(map(shlex.join, commands)), "sh")
