"""Cards for notebooks: what they say, that nothing in them runs, and that they can be read."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from html_reader import HOSTILE, Page
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autoimb import AutoImbClassifier
from autoimb.fitting import FitResult
from autoimb.markup import STYLE, element, wrap
from autoimb.recommendation.advice import Reason, Recommendation
from autoimb.recommendation.leaderboard import Leaderboard
from autoimb.reporting.notebook import render_fit

QUICK: dict[str, Any] = {
    "metric": "f1", "time_budget": None, "n_trials": 3, "space": "fast", "n_folds": 2,
    "executor": "in_process", "tracking_uri": "off", "random_state": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def search(loans: pd.DataFrame) -> AutoImbClassifier:
    """A classifier whose labels and columns are markup."""
    X = loans.drop(columns="default").rename(columns={"city": HOSTILE})
    y = loans["default"].map({"no": "<b>no</b>", "yes": HOSTILE})
    return AutoImbClassifier(**QUICK).fit(X, y)


CARDS: dict[str, Callable[[Any], str]] = {
    "classifier": lambda search: search._repr_html_(),
    "recommendation": lambda search: search.recommendation_._repr_html_(),
    "leaderboard": lambda search: search.leaderboard_._repr_html_(),
    "profile": lambda search: search.profile_._repr_html_(),
}
each_card = pytest.mark.parametrize("render", CARDS.values(), ids=list(CARDS))


@each_card
def test_a_card_loads_nothing_runs_nothing_and_leaves_the_notebook_alone(
    render: Callable[[Any], str], search: Any
) -> None:
    html = render(search)
    page = Page(html)
    assert not page.all("script") + page.all("link") + page.all("iframe") + page.all("b")
    assert all((image["src"] or "").startswith("data:image/png") for image in page.all("img"))
    assert not re.search(r"https?://|url\(|@import", html)
    assert html.startswith('<div class="autoimb ')
    (style,) = re.findall("<style>(.*?)</style>", html, flags=re.DOTALL)
    rules = re.findall(r"([^{}]+)\{", re.sub(r"@media[^{]*\{", "", style))
    selectors = [part.strip() for rule in rules for part in rule.split(",")]
    assert [one for one in selectors if not re.search(r"(^|\s)\.autoimb\b", one)] == []


@pytest.mark.parametrize("card", ["classifier", "recommendation", "profile"])
def test_labels_are_shown_as_they_are(card: str, search: Any) -> None:
    assert HOSTILE in Page(CARDS[card](search)).text


def test_the_card_of_a_fit_tells_what_matters(search: Any) -> None:
    result, page = search.result_, Page(search._repr_html_())
    told = [
        result.recommendation.strategy, "fitted to 160 rows of 2 classes, 24 of", "3 trials in",
        f"{result.estimates['f1'].value:.3f}", f"{result.estimates['f1'].low:.3f} to",
        f"{result.estimates['precision'].value:.3f}", f"{result.estimates['recall'].value:.3f}",
        str(search.model_.rule), "best f1", search.leaderboard_["strategy"].iloc[0],
    ]  # fmt: skip
    assert [text for text in told if text not in page.text] == []
    gain = next(one for one in result.appraisal.baselines if one.name == "do nothing")
    assert f"{gain.difference:+.3f} 95 %: {gain.low:+.3f} to {gain.high:+.3f}" in page.text


def test_the_top_of_the_leaderboard_is_in_the_card(search: Any) -> None:
    result = search.result_
    board = Leaderboard.of(pd.concat([result.leaderboard] * 4), "f1")
    page = Page(render_fit(replace(result, leaderboard=board)))
    assert len(page.all("tr")) == 1 + 5
    assert f"and {len(board) - 5} more" in page.text


def test_what_is_exported_against_the_recommendation_is_said(search: Any) -> None:
    result = search.result_
    other = replace(result.recommendation, strategy="Do the plainest.", best="Blend them all.")
    text = Page(render_fit(replace(result, recommendation=other))).text
    assert "Exported, as it scores best: Blend them all." in text
    text = Page(render_fit(replace(result, recommendation=other, prefer="simple"))).text
    assert "Blend them all." not in text


def test_several_classes_have_a_card() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 150, p=[0.7, 0.2, 0.1])
    X = rng.normal(size=(150, 2)) + np.column_stack([(y == "b") * 3, (y == "c") * 3])
    search: Any = AutoImbClassifier(**{**QUICK, "n_trials": 1, "metric": "mcc"}).fit(X, y)
    text = Page(search._repr_html_()).text
    assert "balanced accuracy" in text
    assert "plot_pr()" in text and "plot_threshold()" not in text
    assert str(search.model_.rule) in text


def test_before_a_fit_it_shows_what_scikit_learn_shows(search: Any) -> None:
    unfitted = AutoImbClassifier(metric="f1")
    assert "sk-top-container" in unfitted._repr_html_()
    assert "sk-top-container" in unfitted._repr_mimebundle_()["text/html"]
    assert "sk-top-container" in clone(search)._repr_html_()


def test_a_notebook_gets_the_card_however_it_asks(search: Any) -> None:
    bundle = search._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/html"] == search._repr_html_() == render_fit(search.result_)
    assert bundle["text/plain"] == repr(search)


def test_scikit_learns_choice_of_text_is_kept(search: Any) -> None:
    with sklearn.config_context(display="text"):
        assert not hasattr(search, "_repr_html_")
        assert set(search._repr_mimebundle_()) == {"text/plain"}


def test_a_pipeline_that_holds_it_shows_itself(search: Any) -> None:
    html = make_pipeline(StandardScaler(), search)._repr_html_()
    assert "AutoImbClassifier" in html
    assert make_pipeline(StandardScaler(), LogisticRegression())._repr_html_()


# The recommendation


def recommend(**changes: Any) -> Recommendation:
    reasons = (Reason("worth", "It is worth <b>it</b>."), Reason("against_nothing", "By far."))
    usual = Recommendation("Do nothing.", "nothing", "undecided", "Blend them all.", reasons)
    return replace(usual, **changes)


def test_a_recommendation_shows_every_reason() -> None:
    page = Page(recommend()._repr_html_())
    told = ["Do nothing.", "Best-scoring: Blend them all.", "worth", "It is worth <b>it</b>.",
            "against nothing", "By far.", "cannot be told from doing nothing"]  # fmt: skip
    assert [text for text in told if text not in page.text] == []
    assert not page.all("b")
    assert "Best-scoring" not in Page(recommend(best="Do nothing.")._repr_html_()).text


@pytest.mark.parametrize(
    ("surety", "tone"), [("clear", "good"), ("likely", "note"), ("undecided", "warning")]
)
def test_how_sure_it_is_has_a_tone(surety: Any, tone: str) -> None:
    page = Page(recommend(surety=surety)._repr_html_())
    assert tone in [paragraph.get("class") for paragraph in page.all("p")]


# The leaderboard


def make_board(n: int = 3, **changes: Any) -> Leaderboard:
    usual = {
        "strategy": [f"lightgbm {k}" for k in range(n)], "decision": "tuned",
        "score": np.linspace(0.7, 0.5, n), "spread": 0.02, "calibrated": True, "trials": 4,
        "evaluated": "5 folds", "exported": np.arange(n) == 1,
    }  # fmt: skip
    return Leaderboard.of(pd.DataFrame({**usual, **changes}), "average_precision")


def test_a_leaderboard_shows_its_rows_and_marks_the_exported_one() -> None:
    page = Page(make_board()._repr_html_() or "")
    assert "Strategies by average precision, cross-validated" in page.text
    assert [row.get("class") for row in page.all("tr")] == [None, None, "exported", None]
    assert "0.700" in page.text and "0.020" in page.text
    assert "evaluated on" not in page.text
    levels = Page(make_board(evaluated=["5 folds", "5 folds", "1 fold"])._repr_html_() or "")
    assert "evaluated on" in levels.text and "1 fold" in levels.text


def test_a_long_leaderboard_ends_and_says_so() -> None:
    page = Page(make_board(25)._repr_html_() or "")
    assert len(page.all("tr")) == 21
    assert "and 5 more" in page.text


def test_probabilities_that_could_not_be_repaired_are_told() -> None:
    assert (
        "not calibrated"
        in Page(make_board(calibrated=[True, False, True])._repr_html_() or "").text
    )
    assert "not calibrated" not in Page(make_board()._repr_html_() or "").text


def test_a_leaderboard_is_a_frame_like_any_other() -> None:
    board = make_board()
    assert type(board.head(2)) is type(board[["score"]]) is pd.DataFrame
    again = pickle.loads(pickle.dumps(board))
    assert (type(again), again.metric) == (Leaderboard, "average_precision")
    pd.testing.assert_frame_equal(again, board)
    with pd.option_context("display.notebook_repr_html", False):
        assert board._repr_html_() is None


def test_a_fit_ranks_by_its_metric(fitted: Any) -> None:
    result: FitResult = fitted.result
    assert result.leaderboard.metric == result.metric.name


# The theme


def test_a_theme_that_the_notebook_tells_overrules_the_systems() -> None:
    system = STYLE.index("prefers-color-scheme: dark")
    assert system < STYLE.index('[data-jp-theme-light="true"]')
    assert system < STYLE.index('[data-jp-theme-light="false"]')


@pytest.mark.slow
@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize(
    ("body", "theme"),
    [
        ('data-jp-theme-light="false"', "dark"), ('data-jp-theme-light="true"', "light"),
        ('class="vscode-dark"', "dark"), ('class="vscode-light"', "light"), ("", None),
    ],
)  # fmt: skip
def test_a_browser_shows_cards_in_the_theme(
    driver: Any, tmp_path: Path, body: str, theme: str | None, system: str
) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": system}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    path = tmp_path / "card.html"
    path.write_text(f"<body {body}>{wrap('sheet', '', element('p', 'text'))}</body>", "utf-8")
    driver.get(path.as_uri())
    of = "getComputedStyle(document.querySelector('.autoimb'))"
    ground = driver.execute_script(f"return {of}.backgroundColor")
    ink = driver.execute_script(f"return {of}.color")
    expected = ["rgb(26, 26, 26)", "rgb(232, 232, 232)"]
    if (theme or system) == "light":
        expected = ["rgb(255, 255, 255)", "rgb(28, 32, 36)"]
    assert [ground, ink] == expected


@pytest.mark.slow
@each_card
def test_a_browser_shows_the_whole_card(
    render: Callable[[Any], str], driver: Any, tmp_path: Path, search: Any
) -> None:
    path = tmp_path / "card.html"
    path.write_text(f'<meta charset="utf-8"><body>{render(search)}</body>', "utf-8")
    driver.get(path.as_uri())
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert driver.execute_script(wider) == 0
