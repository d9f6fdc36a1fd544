"""What a model is worth: its figures with intervals, and against the obvious."""

from __future__ import annotations

from collections.abc import Iterator

from autoimb.metrics import METRICS, get_metric
from autoimb.model_card.markdown import code, section, table, text
from autoimb.model_card.subject import ROUNDING, Subject, figure, interval, share, with_interval
from autoimb.search.baselines import DO_NOTHING

__all__ = ["describe_scores"]

SURETY = {
    "clear": "it is better beyond doubt",
    "likely": "it is probably better, but these rows do not prove it",
    "undecided": "these data cannot tell the two apart",
}
OF_SEVERAL = " (macro for several classes)"


def describe_scores(subject: Subject) -> str:
    """Give every figure of the model with its interval, and hold it against the obvious."""
    if not subject.fit:
        return ""
    parts = [_name_change(subject), table(_heads(subject), _list_rows(subject))]
    if subject.holds(subject.model.metric):
        corrected, compared = _list_corrections(subject), _compare(subject)
        parts = [_headline(subject), *parts, *corrected, *compared]
    return section("Figures", *parts)


def _headline(subject: Subject) -> str:
    """Say what to expect in the metric that was searched, and against doing nothing."""
    fit, metric = subject.fit, subject.model.metric
    told = f"On rows to come: {code(metric)} **{with_interval(fit['estimates'][metric])}**."
    nothing = next((one for one in fit["baselines"] if one["name"] == DO_NOTHING), None)
    if nothing is None or not fit["is_best"]:
        return told
    return (
        f"{told} Against doing nothing (the default model on the data as they are, the most "
        f"probable class) that is {nothing['difference']:+.3f} ({nothing['low']:+.3f} to "
        f"{nothing['high']:+.3f}): {SURETY[fit['surety']]}. Intervals are of 95 %."
    )


def _name_change(subject: Subject) -> str:
    """Say which figures no longer hold."""
    if subject.is_retargeted:
        where, prevalence = "where classes are as frequent as in the data", subject.prevalence
        if prevalence is not None:
            where = f"where {share(prevalence)} of the rows are {subject.positive}"
        return (
            "The model was aimed at another prevalence after the fit. These figures were measured "
            f"{where}; those of labels are left out."
        )
    if subject.is_as_fitted:
        return ""
    return (
        "The decision was changed after the fit. Figures of labels are left out here; the next "
        "section counts what the decision gives."
    )


def _heads(subject: Subject) -> list[str]:
    heads = [
        "figure", "what it says", "on rows to come", "95 % interval", "out of fold",
        "corrected for the choice",
    ]  # fmt: skip
    return [*heads, f"on {subject.test['n_rows']:,} untouched rows"] if subject.test else heads


def _list_rows(subject: Subject) -> Iterator[list[str]]:
    """Put the searched metric first; rates and costs have their place beside the decision."""
    fit, searched = subject.fit, subject.model.metric
    names = [name for name in fit["estimates"] if name.partition("@")[0] in METRICS]
    for name in sorted(filter(subject.holds, names), key=lambda name: name != searched):
        found = fit["estimates"][name]
        row = [
            code(name),
            _describe_metric(subject, name),
            figure(found["value"]),
            interval(found),
            figure(fit["out_of_fold"].get(name)),
            "yes" if name == searched else "no",
        ]
        tested = subject.test.get("estimates", {}).get(name)
        yield [*row, with_interval(tested)] if subject.test else row


def _describe_metric(subject: Subject, name: str) -> str:
    metric = get_metric(name)
    meaning = metric.meaning.replace(OF_SEVERAL, "" if subject.is_binary else ", mean over classes")
    parts = [text(meaning)]
    parts += [] if metric.greater_is_better else ["the lower the better"]
    if name == "average_precision" and subject.prevalence is not None:
        parts.append(f"guessing gives {figure(subject.prevalence)}")
    if name.startswith("roc_auc"):
        parts.append("guessing gives 0.5")
    return "; ".join(parts)


def _list_corrections(subject: Subject) -> Iterator[str]:
    """Say what the figures are corrected for, and which."""
    fit, metric = subject.fit, subject.model.metric
    luck, n = fit["optimism"], fit["n_tried"]
    taken = "next to nothing was found to take off"
    if luck is None:
        taken = "what it owes to that is taken off"
    elif abs(luck) >= ROUNDING:
        taken = f"{abs(luck):.3f} of luck is taken off"
    yield (
        f"Out of fold is what was scored. {code(metric)} was searched for, and the best of {n:,} "
        f"trials looks better than it is: {taken}. The other figures are not corrected for that."
        if n > 1
        else "Out of fold is what was scored. There was no choice to correct for."
    )
    growth = fit["growth"]
    if growth is not None and abs(growth) >= ROUNDING:
        yield (
            "Each model of a fold lacks the rows that it scores. What these add to a model of all "
            f"rows is estimated and included: {growth:+.3f} for {code(metric)}."
        )


def _compare(subject: Subject) -> Iterator[str]:
    """Hold it against what anybody would try first, and against what is plainer."""
    fit, metric = subject.fit, subject.model.metric
    if fit["baselines"]:
        which = "this model" if fit["is_best"] else "the best-scoring strategy (not this model)"
        yield (
            f"How far {which} is ahead of what anybody would try first, by {code(metric)}. All "
            "scores are of the same rows and folds, which need not be those above:"
        )
    yield table(
        ("strategy", "its score", "ahead of it by", "95 %, for all at once", "ahead in"),
        [
            (
                text(one["name"]),
                figure(one["score"]),
                f"{one['difference']:+.3f}",
                f"{one['low']:+.3f} to {one['high']:+.3f}",
                f"{100 * one['p_better']:.0f} % of resamples",
            )
            for one in fit["baselines"]
        ],
    )
    yield text(fit["reasons"].get("not_compared", ""))
    if plainer := fit["reasons"].get("plainest"):
        which = f"Recommended, as the plainest that cannot be told from the best: {fit['plainest']}"
        yield text(f"{which} {plainer}")
