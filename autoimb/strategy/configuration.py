"""One point of a search space: which component fills each stage, and with what values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = ["STAGES", "Choice", "Configuration"]

# In the order of suggestion: a model may rule out what comes after it.
STAGES = ("model", "ensemble", "sampler", "weight")


@dataclass(frozen=True)
class Choice:
    """A component with its parameter values.

    Attributes
    ----------
    name : str
        The component's name in the search space.
    class_path : str or None
        Importable path of its class; None skips the step.
    input : str
        What the class must be fed: "raw", "mixed", "numeric" or "scaled".
    balance : float or None
        Of a sampler, share of the way to equal classes.
    values : mapping
        Keyword arguments of the class.
    single : bool
        Of a model, whether it is exported alone, for a person to read.
    """

    name: str
    class_path: str | None = None
    input: str = "raw"
    balance: float | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    single: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """All that was chosen, `balance` included."""
        share = {} if self.balance is None else {"balance": self.balance}
        return {**share, **self.values}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A complete strategy but for its decision rule, which follows from its predictions.

    Attributes
    ----------
    model, ensemble, sampler, weight : Choice

    Examples
    --------
    >>> configuration = Configuration(
    ...     model=Choice("logistic", "sklearn.linear_model.LogisticRegression", values={"C": 0.5}),
    ...     sampler=Choice("smote", "imblearn.over_sampling.SMOTE", balance=0.5),
    ...     weight=Choice("none"),
    ... )
    >>> configuration.flat
    {'model': 'logistic', 'model.logistic.C': 0.5, 'ensemble': 'none', 'sampler': 'smote', \
'sampler.smote.balance': 0.5, 'weight': 'none'}
    """

    model: Choice = field(kw_only=False)
    ensemble: Choice = field(default_factory=lambda: Choice("none"))
    sampler: Choice = field(default_factory=lambda: Choice("none"))
    weight: Choice = field(default_factory=lambda: Choice("none"))

    @property
    def choices(self) -> dict[str, Choice]:
        """The choice of every stage."""
        return {stage: getattr(self, stage) for stage in STAGES}

    @cached_property
    def flat(self) -> dict[str, Any]:
        """Qualified parameter names and values, as a study and MLflow hold them."""
        found: dict[str, Any] = {}
        for stage, choice in self.choices.items():
            found[stage] = choice.name
            for name, value in choice.parameters.items():
                found[f"{stage}.{choice.name}.{name}"] = value
        return found

    @property
    def is_untouched(self) -> bool:
        """Whether the model is trained once, on the rows as they are."""
        return all(self.choices[stage].class_path is None for stage in STAGES[1:])

    def __str__(self) -> str:
        """Name what is used, leaving out the stages that are skipped."""
        used = [choice.name for choice in self.choices.values() if choice.name != "none"]
        return " + ".join(used)
