"""The card of a model, for whoever is to trust it, run it or answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoimb.fitted_model import FittedModel
from autoimb.model_card.decided import describe_classes, describe_labels
from autoimb.model_card.markdown import code, text
from autoimb.model_card.origin import describe_data, describe_evaluation, describe_use
from autoimb.model_card.probabilities import describe_calibration
from autoimb.model_card.remaking import describe_remaking
from autoimb.model_card.scores import describe_scores
from autoimb.model_card.subject import Subject
from autoimb.model_card.usage import describe_caveats, describe_loading, describe_versions

__all__ = ["render_card"]

TAGS = ("tabular-classification", "imbalanced-classification", "autoimb")
# By which names hubs of models know ours; the others they do not know.
HUB_METRICS = {
    "f1": "f1", "roc_auc": "roc_auc", "mcc": "matthews_correlation", "brier": "brier_score",
    "precision": "precision", "recall": "recall",
}  # fmt: skip
SECTIONS = (
    describe_use, describe_data, describe_evaluation, describe_scores, describe_labels,
    describe_classes, describe_calibration, describe_caveats, describe_loading, describe_remaking,
    describe_versions,
)  # fmt: skip


def render_card(model: FittedModel, manifest: Mapping[str, Any], file: str) -> str:
    """Write the card of a model from the model and its manifest.

    Nothing is estimated anew. What the manifest does not tell is left out, and so is every figure
    that a later change of the decision has made a figure of another one.

    Parameters
    ----------
    model : FittedModel
    manifest : mapping
        As it stands beside the model.
    file : str
        Name of the model's file.

    Returns
    -------
    str
        Markdown, with the front matter that hubs of models read.
    """
    subject = Subject(model, manifest, file)
    parts = [_front_matter(subject), _heading(subject), *(tell(subject) for tell in SECTIONS)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(subject: Subject) -> str:
    """Write what hubs of models sort models by; nothing in it comes from the data."""
    estimated = subject.fit.get("estimates", {})
    metrics = [name for ours, name in HUB_METRICS.items() if ours in estimated]
    lines = ["library_name: autoimb", "pipeline_tag: tabular-classification"]
    for key, values in (("tags", TAGS), ("metrics", metrics)):
        lines += [f"{key}:", *(f"- {value}" for value in values)] if values else []
    return "\n".join(["---", *lines, "---"])


def _heading(subject: Subject) -> str:
    """Say in two sentences what it is."""
    model, fit, target = subject.model, subject.fit, code(subject.model.target)
    what = f"the probability that {target} is {subject.positive}"
    if not subject.is_binary:
        what = f"the probability of each of the {len(model.labels.classes)} classes of {target}"
    rule = subject.rule
    strategy = f"{fit['training']}, and {rule}" if fit else rule[0].upper() + rule[1:]
    title = f"# Model card: {target}" + (f" of {code(fit['name'])}" if fit else "")
    return f"{title}\n\nFor each row it gives {what}, and a label. Strategy: {text(strategy)}."
