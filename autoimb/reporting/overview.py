"""The top of the report: what is recommended, what it is worth, how it decides, what was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autoimb.decision.rules import Threshold
from autoimb.markup import element, escape, section, verbatim
from autoimb.model_card.subject import Subject, count_words, figure, interval
from autoimb.recommendation.words import SURETIES
from autoimb.reporting.chart import Table
from autoimb.reporting.elements import draw_table, tile
from autoimb.search.baselines import DO_NOTHING

__all__ = ["render_overview", "render_verdicts"]

WORTH = {
    "better": "yes, beyond doubt",
    "worse": "no, it is worse beyond doubt",
    "undecided": "not shown",
    "reference": "this is doing nothing",
}
NOT_ADDED = (
    "What is expected on rows to come is corrected for luck in the choice, and for the rows that "
    "each fold holds back from training. Gains are differences on the same rows, before that: the "
    "two need not add up. The shares of alerts and positives are cross-validated."
)
RATES = {
    "precision": "of the alerts are right",
    "recall": "of the positives are found",
}


def render_overview(subject: Subject) -> str:
    """Tell in two sentences what to do and what it buys, and show the figures that count.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    str
        HTML.
    """
    fit = subject.fit
    name = verbatim(fit["name"]) if fit else "a model"
    made = escape(subject.manifest["created"][:10])
    target = verbatim(subject.model.target)
    parts = [
        element("p", f"Report on {name}, column to predict: {target}; {made}", "soft"),
        *_tell_strategies(subject),
        *_tell_gain(subject),
        element("dl", "".join(_list_tiles(subject)), "tiles"),
        element("p", escape(NOT_ADDED), "soft")
        if fit and subject.holds(subject.model.metric)
        else "",
    ]
    return element("header", "".join(parts))


def _tell_strategies(subject: Subject) -> Iterator[str]:
    """Say what is recommended and, where that is another, what this model is."""
    fit, rule = subject.fit, subject.rule
    if not fit:
        yield element("h1", verbatim(f"{rule[0].upper()}{rule[1:]}."))
        return
    exported = f"{_name_training(subject)}, and {rule}."
    plainer = fit["reasons"].get("plainest")
    if not plainer or not subject.is_as_fitted:
        yield element("h1", verbatim(exported))
        return
    yield element("h1", f"Recommended: {verbatim(fit['plainest'])}")
    what = f"{exported[0].lower()}{exported[1:]}"
    told = f"Exported is what the search ranked first: {what} {plainer}"
    yield element("p", verbatim(told))


def _name_training(subject: Subject) -> str:
    """Name what was trained; of a blend, whose others may do otherwise, how many there are."""
    training, n = subject.fit["training"], 1 + len(subject.manifest.get("blended", ()))
    if n == 1:
        return str(training)
    leading = str(training).partition(", blend it with")[0]
    return f"A blend of {n} strategies, the first of them: {leading[0].lower()}{leading[1:]}"


def _tell_gain(subject: Subject) -> Iterator[str]:
    fit = subject.fit
    if not fit:
        return
    if not subject.is_as_fitted:
        changed = "aimed at another prevalence" if subject.is_retargeted else "given this decision"
        yield element("p", f"The model was {changed} after the fit.", "lead")
    if not subject.holds(subject.model.metric):
        return
    tone, words = SURETIES[fit["surety"]]
    told = fit["reasons"].get("against_nothing", "")
    yield element("p", verbatim(told), "lead") if told else ""
    yield element("p", element("span", escape(words), "badge"), tone)


def _list_tiles(subject: Subject) -> Iterator[str]:
    fit, metric = subject.fit, subject.model.metric
    if fit and subject.holds(metric):
        yield _estimate(f"{_spell(metric)} on rows to come", fit["estimates"][metric])
        tested = subject.test.get("estimates", {}).get(metric)
        if tested is not None:
            yield _estimate(f"on {subject.test['n_rows']:,} untouched rows", tested)
        nothing = next((one for one in fit["baselines"] if one["name"] == DO_NOTHING), None)
        if nothing is not None and fit["is_best"]:
            low, high = (f"{nothing[end]:+.3f}" for end in ("low", "high"))
            gain = f"{nothing['difference']:+.3f}"
            yield tile("gained over doing nothing", gain, f"95 %: {low} to {high}")
    yield _decision(subject)
    yield from _list_rates(subject)


def _decision(subject: Subject) -> str:
    decision = subject.model.decision
    rule, stable = decision.rule, decision.stability
    text = f"threshold {rule.value:.3g}" if isinstance(rule, Threshold) else str(rule)
    sure = ""
    if isinstance(rule, Threshold) and stable is not None:
        low, high = stable.intervals[0]
        sure = f"95 %: {low:.3g} to {high:.3g}"
    return tile(f"operating point, for {decision.criterion}", text, sure)


def _list_rates(subject: Subject) -> Iterator[str]:
    """Show what the decision comes to: cross-validated where that was done, else counted."""
    known = subject.fit.get("estimates", {}) if subject.fit and subject.is_as_fitted else {}
    for name, meaning in RATES.items():
        if name in known:
            yield _estimate(meaning, known[name], scale=100)
        elif name in subject.outcome:
            yield tile(meaning, f"{100 * subject.outcome[name]:.0f} %", "out of fold")
    if "flagged_per_1000" in subject.outcome:
        yield tile("alerts per 1,000 rows", count_words(subject.outcome["flagged_per_1000"]))


def _estimate(what: str, found: Mapping[str, Any], scale: int = 1) -> str:
    if scale == 1:
        return tile(what, figure(found["value"]), f"95 %: {interval(found)}")
    ends = [found[end] for end in ("value", "low", "high")]
    if any(end is None for end in ends):
        return tile(what, figure(found["value"]))
    # A rate lies between 0 and 1; an interval made of few rows need not.
    value, low, high = (f"{scale * min(max(end, 0.0), 1.0):.0f}" for end in ends)
    return tile(what, f"{value} %", f"95 %: {low} to {high}")


def render_verdicts(subject: Subject, verdicts: list[Mapping[str, Any]]) -> str:
    """Answer of every strategy that was compared whether it was worth it.

    Parameters
    ----------
    subject : Subject
    verdicts : list of mapping
        Of the findings.

    Returns
    -------
    str
        HTML, empty if nothing was compared.
    """
    if not verdicts:
        return ""
    metric = _spell(subject.model.metric)
    rows = [
        (
            one["strategy"] + (" (this model)" if one["is_exported"] else ""),
            f"{one['score']:.3f}",
            "" if one["verdict"] == "reference" else f"{one['gain']:+.3f}",
            "" if one["verdict"] == "reference" else f"{one['low']:+.3f} to {one['high']:+.3f}",
            _judge(one),
        )
        for one in verdicts
    ]
    heads = ("strategy", metric, "gain over doing nothing", "95 %, for all at once",
             "was it worth it?")  # fmt: skip
    told = (
        "Each strategy against doing nothing (the default model on the data as they are, decided "
        "by the greatest probability), on the same rows and folds. Of strategies that were "
        "searched for, what they owe to luck is taken off. Not shown: the interval holds 0, so "
        "that these rows cannot tell it from doing nothing. What is exported was chosen by its "
        "score and its ranking together, so that another may be ahead of it here."
    )
    missing = subject.fit.get("reasons", {}).get("not_compared", "")
    return section(
        "Was it worth it?", element("p", told), draw_table(Table(heads, rows)),
        element("p", verbatim(missing)) if missing else "", level=3,
    )  # fmt: skip


def _judge(one: Mapping[str, Any]) -> str:
    """Answer in words, and where these rows do not tell, how often it is ahead all the same."""
    if one["verdict"] != "undecided":
        return WORTH[one["verdict"]]
    return f"{WORTH['undecided']}; ahead in {100 * one['p_better']:.0f} % of resamples"


def _spell(name: str) -> str:
    return name.replace("_", " ")
