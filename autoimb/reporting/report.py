"""The report of a fit: one page that says which strategy, how good, how sure, and what if."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autoimb.artifact import load
from autoimb.displays.predictions import Predictions
from autoimb.errors import ArtifactError, AutoImbWarning, one_line
from autoimb.evaluation.estimate import Estimate
from autoimb.fitted_model import FittedModel
from autoimb.manifest import findings_path, manifest_path, read_manifest, write_whole
from autoimb.markup import element, escape, wrap
from autoimb.metrics import METRICS
from autoimb.model_card.decided import describe_classes, describe_labels
from autoimb.model_card.origin import describe_data, describe_evaluation, describe_use
from autoimb.model_card.probabilities import describe_calibration
from autoimb.model_card.remaking import describe_remaking
from autoimb.model_card.scores import describe_scores
from autoimb.model_card.subject import Subject
from autoimb.model_card.usage import describe_caveats, describe_loading, describe_versions
from autoimb.reporting.chart import Chart
from autoimb.reporting.charts.curves import draw_curves
from autoimb.reporting.charts.features import draw_features
from autoimb.reporting.elements import draw_chart
from autoimb.reporting.explorer import EXPLORER_SCRIPT, EXPLORER_STYLE, render_explorer
from autoimb.reporting.hardness import render_hardness
from autoimb.reporting.overview import render_overview, render_verdicts
from autoimb.reporting.page import frame_page, read_resource
from autoimb.reporting.prose import render_section
from autoimb.reporting.rows import render_classes, render_hardest, render_notes
from autoimb.reporting.stored import read_charts, read_findings
from autoimb.reporting.trials import (
    render_leaderboard,
    render_spent,
    render_tried,
    render_unfinished,
)

__all__ = ["attempt_report", "render_report", "report_on", "write_report"]

NO_FINDINGS = (
    "What else the fit found is not at hand ({file} is not beside the model), so that strategies, "
    "features and search are left out."
)


@dataclass(frozen=True)
class Report:
    """What a report is made of.

    Attributes
    ----------
    subject : Subject
        The model with its manifest.
    findings : mapping
        As `gather_findings` gives them; empty if they are not at hand.
    shows_rows : bool
        Whether cells of single rows may be shown.
    """

    subject: Subject
    findings: Mapping[str, Any]
    shows_rows: bool = True

    @cached_property
    def charts(self) -> Mapping[str, Chart]:
        """All charts, by their names: those of the fit, and those of the decision as it is."""
        explanation = self.findings.get("explanation")
        drawn = draw_curves(self.predictions) if self.has_rows else []
        drawn += [] if explanation is None else draw_features(explanation)
        return {**read_charts(self.findings), **{chart.name: chart for chart in drawn}}

    @property
    def predictions(self) -> Predictions:
        """The out-of-fold predictions, with those figures of the fit that hold for the model."""
        told = self.subject.fit.get("estimates", {})
        estimates = {
            name: Estimate(**one)
            for name, one in told.items()
            if None not in one.values() and self._holds(name)
        }
        return replace(self.subject.model.predictions(), estimates=estimates)

    def _holds(self, name: str) -> bool:
        """Tell whether a figure of the fit, some of which are no metrics, is one of the model."""
        return self.subject.is_as_fitted or (name in METRICS and self.subject.holds(name))

    @property
    def has_rows(self) -> bool:
        """Whether out-of-fold predictions are kept with the model."""
        return self.subject.model.evidence is not None

    def draw(self, *names: str) -> str:
        """Draw those of the charts that there are."""
        found = [draw_chart(self.charts[name]) for name in names if name in self.charts]
        return element("div", "".join(found), "charts") if found else ""


def _operate(report: Report) -> Iterable[str]:
    subject = report.subject
    yield render_explorer(subject.model, subject.file) if report.has_rows else ""
    yield report.draw("cost_by_threshold", "threshold_stability")
    yield render_section(describe_labels(subject))


def _compare(report: Report) -> Iterable[str]:
    yield render_verdicts(report.subject, report.findings.get("verdicts", []))
    yield report.draw("strategies", "attribution")
    yield render_leaderboard(report.findings)


def _score(report: Report) -> Iterable[str]:
    yield render_section(describe_scores(report.subject))
    yield report.draw("precision_recall", "roc", "cost_curve", "gain", "lift")
    yield render_section(describe_evaluation(report.subject))


def _calibrate(report: Report) -> Iterable[str]:
    yield render_section(describe_calibration(report.subject))
    yield report.draw("reliability", "score_histograms", "true_class")


def _explain(report: Report) -> Iterable[str]:
    explanation = report.findings.get("explanation")
    if explanation is not None:
        yield render_classes(explanation)
    yield render_section(describe_classes(report.subject))
    if explanation is not None:
        yield report.draw("feature_importance", "feature_contributions")
        yield render_notes(explanation)
        yield render_hardest(explanation, report.findings["row_names"], report.shows_rows)


def _describe_data(report: Report) -> Iterable[str]:
    yield render_section(describe_caveats(report.subject))
    profile = report.findings.get("profile")
    yield "" if profile is None else render_hardness(profile)
    yield render_section(describe_data(report.subject))


def _search(report: Report) -> Iterable[str]:
    yield render_spent(report.findings)
    yield report.draw("optimisation_history", "choice_importance", "parallel_coordinates")
    yield render_tried(report.findings)
    yield render_unfinished(report.findings)


def _use(report: Report) -> Iterable[str]:
    tell = (describe_use, describe_loading, describe_remaking, describe_versions)
    yield from (render_section(each(report.subject)) for each in tell)


# By anchor: how it is called in the list of contents, and what it is put together from.
SECTIONS: Mapping[str, tuple[str, Callable[[Report], Iterable[str]]]] = {
    "what-if": ("What if?", _operate),
    "strategies": ("Strategies", _compare),
    "scores": ("How good, how sure", _score),
    "probabilities": ("Probabilities", _calibrate),
    "rows": ("Classes, features, rows", _explain),
    "data": ("Data and caveats", _describe_data),
    "search": ("The search", _search),
    "use": ("Use and reproduce", _use),
}


def render_report(
    model: FittedModel,
    manifest: Mapping[str, Any],
    findings: Mapping[str, Any],
    file: str,
    *,
    shows_rows: bool = True,
) -> str:
    """Write the report of a model as one page that loads nothing.

    Parameters
    ----------
    model : FittedModel
    manifest : mapping
        As it stands beside the model.
    findings : mapping
        As `gather_findings` gives them.
    file : str
        Of the model, as commands name it.
    shows_rows : bool
        Whether cells of single rows may be shown.

    Returns
    -------
    str
        HTML of a whole document.
    """
    report = Report(Subject(model, manifest, file), findings, shows_rows)
    rendered = {name: "".join(make(report)) for name, (_, make) in SECTIONS.items()}
    shown = {name: content for name, content in rendered.items() if content}
    sections = [
        f'<section id="{name}"><h2>{escape(SECTIONS[name][0])}</h2>{content}</section>'
        for name, content in shown.items()
    ]
    absent = NO_FINDINGS.format(file=findings_path(Path(file)).name)
    missing = "" if findings else element("p", escape(absent), "soft")
    main = element("main", "".join([render_overview(report.subject), missing, *sections]))
    style, explores = read_resource("report.css"), report.has_rows and report.subject.is_binary
    body = wrap("report", "", _list_contents(shown), main)
    title = f"autoimb: {manifest.get('fit', {}).get('name', model.target)}"
    return frame_page(
        title, body, report.charts.values(),
        [style, *[EXPLORER_STYLE] * explores], [EXPLORER_SCRIPT] * explores,
    )  # fmt: skip


def _list_contents(shown: Iterable[str]) -> str:
    links = (f'<li><a href="#{name}">{escape(SECTIONS[name][0])}</a></li>' for name in shown)
    return (
        '<a class="skip" href="#what-if">Skip the contents</a>'
        f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'
    )


def report_on(model_path: Path, file: str | None = None, *, shows_rows: bool = True) -> str:
    """Write the report of a saved model.

    Parameters
    ----------
    model_path : Path
        Of the pickle.
    file : str, optional
        How commands are to name it; by default as the path does, without a folder of this machine.
    shows_rows : bool
        Whether cells of single rows may be shown: not where the page goes to others.

    Returns
    -------
    str
        HTML of a whole document.

    Raises
    ------
    ArtifactError
        If the model cannot be loaded, or its manifest tells too little.
    """
    name = file or (model_path.name if model_path.is_absolute() else str(model_path))
    model, manifest = load(model_path), read_manifest(model_path)
    findings = read_findings(model_path)
    try:
        return render_report(model, manifest, findings, name, shows_rows=shows_rows)
    except KeyError as error:
        raise ArtifactError(
            f"{manifest_path(model_path)} tells nothing of {error}: it was written by another "
            "release of autoimb, or changed. Fit the model again."
        ) from error


def write_report(model_path: Path, out: Path) -> None:
    """Write the report of a saved model to a file: whole or not at all.

    Parameters
    ----------
    model_path : Path
        Of the pickle.
    out : Path

    Raises
    ------
    ArtifactError
        If the model cannot be loaded.
    """
    write_whole(out, report_on(model_path).encode("utf-8", "replace"))


def attempt_report(model_path: Path, out: Path) -> bool:
    """Write a report that nothing depends on.

    Parameters
    ----------
    model_path, out : Path
        As in `write_report`.

    Returns
    -------
    bool
        Whether it was made and written. If not, one that was there tells of something else, and is
        removed.

    Warns
    -----
    AutoImbWarning
        In that case, with what to do.
    """
    try:
        write_report(model_path, out)
    except Exception as error:
        out.unlink(missing_ok=True)
        text = (
            f"{out} was not written, and nothing else suffers: {one_line(error)}. "
            f"`autoimb report {shlex.quote(str(model_path))}` tries it again."
        )
        warnings.warn(text, AutoImbWarning, stacklevel=2)
        return False
    return True
