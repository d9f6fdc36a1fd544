"""A profile as a page and as pictures, from records made by hand."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from html_reader import HOSTILE, Page

from autoimb.profiling.findings import Finding
from autoimb.profiling.interpretation import CAUTION, Reading
from autoimb.profiling.measures import MEASURES, Estimate, undefined
from autoimb.profiling.page import render_body, render_page
from autoimb.profiling.plots import draw_profile
from autoimb.profiling.power import power_card
from autoimb.profiling.profile import ClassProfile, Profile
from autoimb.profiling.sketch import KINDS, FeatureSketch, Sketch

FINDING = Finding(
    "leak_suspect", "critical", "'code' alone predicts the class.", "Drop it.", ("code",)
)
READING = Reading("few_rows", "Prefer simple models.", "35 rows of the class")
AWKWARD = [
    HOSTILE, "W" * 300, "\ud800",
    # to draw each takes a second
    *(pytest.param(text, marks=pytest.mark.slow) for text in (
        "$x_1$ ${", "東京都の人口", "שלום עולם", "word " * 60, "%s {0}", "", "a\nb",
    )),
]  # fmt: skip


def estimate(name: str, value: float = 0.4321) -> Estimate:
    low, high = MEASURES[name].low, MEASURES[name].high
    return Estimate(float(np.clip(value, low, high)), 0.021, 35, 335)


def make_feature(name: str = "age", n_bins: int = 12, *, missing: bool = True) -> FeatureSketch:
    rng = np.random.default_rng(n_bins)
    minority, rest = rng.dirichlet(np.ones(n_bins), 2).tolist()
    bins = [f"{4.75 * i:.4g}" for i in range(n_bins)]
    bins = [*bins[:-1], "missing"] if missing else bins
    return FeatureSketch(name, 0.55, 0.78, tuple(bins), tuple(minority), tuple(rest))


def make_sketch(*features: FeatureSketch) -> Sketch:
    rng = np.random.default_rng(0)
    kinds = np.repeat(range(len(KINDS)), [80, 8, 8, 8, 8])
    points = rng.normal(size=(len(kinds), 2)) + kinds[:, None]
    return Sketch(
        tuple((float(a), float(b)) for a, b in points),
        tuple(int(kind) for kind in kinds),
        (0.42, 0.17),
        features or (make_feature(), make_feature("town", 3, missing=False)),
    )


def make_profile(counts: Mapping[str, int] | None = None, **changed: Any) -> Profile:
    counts = counts or {"no": 301, "yes": 35}
    n_rows, (minority, n_minority) = sum(counts.values()), list(counts.items())[-1]
    rare = [(k, n) for k, n in reversed(counts.items()) if n * len(counts) < n_rows]
    classes = tuple(
        ClassProfile(
            label, n, {k: estimate(k, 0.4 + i / 100) for k, m in MEASURES.items() if m.of_a_class}
        )
        for i, (label, n) in enumerate(rare or [(minority, n_minority)])
    )
    measures = {name: estimate(name) for name in MEASURES}
    whole = Profile(
        name="ecoli", target="kind", n_rows=n_rows, n_features=7, n_categorical=2,
        n_classes=len(counts), class_counts=counts, minority=minority, n_minority=n_minority,
        imbalance_ratio=max(counts.values()) / n_minority, missing_share=0.012,
        dropped={"batch": "always the same"}, measures=measures, worst=classes[-1].measures,
        classes=classes, power=power_card(n_minority), findings=(FINDING,),
        interpretation=(READING,), sketch=make_sketch(),
    )  # fmt: skip
    return replace(whole, **changed)


def many_classes(n_classes: int) -> dict[str, int]:
    return {f"class {k}": 2 + 4 * (n_classes - k) ** 2 for k in range(n_classes)}


@functools.cache
def usual_page() -> str:
    """Render the usual profile with its pictures, once for all that look at the page."""
    return render_page(make_profile())


def read_words(profile: Profile) -> Page:
    """Read a page without its pictures, which take long to draw."""
    return Page(render_page(profile, {}))


def test_a_page_tells_everything() -> None:
    profile, page = make_profile(), Page(usual_page())
    told = [
        "Profile of ecoli", *str(profile).split("\n"), str(profile.power), CAUTION,
        FINDING.evidence, FINDING.advice, "Columns: code", READING.words, READING.evidence,
        "batch: always the same", *MEASURES, *(m.definition for m in MEASURES.values()),
    ]  # fmt: skip
    assert not [text for text in told if text not in page.text]
    assert len(page.all("img")) == 3


def test_sections_come_in_order() -> None:
    titles = re.findall("<h2>(.*?)</h2>", usual_page())
    assert titles == [
        "Findings", "Interpretation", "What so few rows can show", "Pictures", "Measures",
        "Columns left out",
    ]  # fmt: skip


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    html = usual_page()
    page = Page(html)
    assert not page.all("script") + page.all("link") + page.all("iframe")
    sources = [tag.get("src") or tag.get("href") or "data:" for _, tag in page.tags]
    assert all(source.startswith("data:") for source in sources)
    assert not re.search(r"https?://|url\(|@import", html)
    assert html.startswith("<!DOCTYPE html>")


def test_the_style_of_a_notebook_is_left_alone() -> None:
    body = render_body(make_profile(), {})
    (style,) = re.findall("<style>(.*?)</style>", body, flags=re.DOTALL)
    style = re.sub(r"@media[^{]*\{", "", style)
    selectors = [part for rule in re.findall(r"([^{}]+)\{", style) for part in rule.split(",")]
    assert len(selectors) > 10
    assert all(re.search(r"(^|\s)\.autoimb\b", selector.strip()) for selector in selectors)


def test_pictures_have_sizes_and_words() -> None:
    for picture in Page(usual_page()).all("img"):
        assert len(picture["src"] or "") > 5_000
        assert int(picture["width"] or 0) > 300
        assert "'yes'" in (picture["alt"] or "")


@pytest.mark.parametrize("text", AWKWARD)
def test_whatever_the_data_hold_is_shown_as_it_is(text: str) -> None:
    finding = Finding("leak_suspect", "note", text, text, (text,), (text, 7))
    profile = make_profile(
        {"no": 301, text: 35}, name=text, target=text, dropped={text: text}, findings=(finding,),
        interpretation=(Reading(text, text, text),),
        measures={name: undefined(text) for name in MEASURES},
        sketch=make_sketch(FeatureSketch(text, 0.5, 0.8, (text, "z"), (0.2, 0.8), (0.6, 0.4))),
    )  # fmt: skip
    page = Page(render_page(profile))
    shown = text.replace("\ud800", "?")
    assert page.text.count(shown) >= 12
    assert not page.all("script")
    assert len(page.all("img")) == 3
    assert all(set(image) == {"src", "width", "height", "alt"} for image in page.all("img"))


def test_without_features_only_classes_are_drawn() -> None:
    absent = {n: undefined("no column tells rows apart") for n, m in MEASURES.items() if m.worse}
    profile = make_profile(sketch=None, classes=(ClassProfile("yes", 35, absent),), worst=absent)
    assert list(draw_profile(profile)) == ["class_counts"]
    assert len(Page(render_page(profile)).all("img")) == 1


def test_a_sketch_without_features_has_a_map_only() -> None:
    profile = make_profile(sketch=replace(make_sketch(), features=()))
    assert list(draw_profile(profile)) == ["class_counts", "projection"]


def test_what_is_not_defined_says_why() -> None:
    measures = {**make_profile().measures, "n3": undefined("the class has one row")}
    text = read_words(make_profile(measures=measures)).text
    assert "not defined: the class has one row" in text


def test_kdn_stands_beside_its_value_at_random_labels() -> None:
    assert "at random 0.896" in Page(usual_page()).text  # 1 - 35 / 336
    several = read_words(make_profile({"a": 80, "b": 15, "c": 5})).text
    assert "at random 0.875" in several  # (15 * .85 + 5 * .95) / 20
    assert "at random 0.85'b'" in several


def test_the_worst_class_is_named() -> None:
    html = render_body(make_profile({"a": 80, "b": 15, "c": 5}), {})
    (row,) = (r for r in re.findall("<tr>.*?</tr>", html) if "<summary>n3</summary>" in r)
    cells = re.findall("<td[^>]*>(.*?)</td>", row)
    assert cells[1] == "mean of 2 rare classes"
    assert cells[2:5] == ["0.432", "0.021", "35 against 335"]
    assert [re.sub("<.*?>", "", cell) for cell in cells[5:]] == ["0.41", "'b'"]


def test_two_classes_need_no_worst() -> None:
    text = Page(usual_page()).text
    assert "worst" not in text
    assert "class 'yes'" in text


def test_findings_come_the_worst_first_and_long_lists_end() -> None:
    severities = ("note", "critical", "warning")
    findings = tuple(
        replace(FINDING, severity=severities[i % 3], rows=tuple(range(1000, 1100)))
        for i in range(60)
    )
    page = read_words(make_profile(findings=findings))
    cards = [card["class"] for card in page.all("article") if card["class"] != "card plain"]
    assert cards == ["card critical"] * 20 + ["card warning"] * 20 + ["card note"] * 20
    assert page.text.count("1018, 1019 and 80 more") == 60
    assert "1020" not in page.text


def test_nothing_found_is_said() -> None:
    text = read_words(make_profile(findings=(), interpretation=(), dropped={})).text
    assert "Nothing found." in text
    assert "No rule of thumb applies." in text
    assert "Columns left out" not in text


def test_many_columns_left_out_are_counted() -> None:
    dropped = {f"column {i}": "always the same" for i in range(1000)}
    text = read_words(make_profile(dropped=dropped)).text
    assert "and 980 more" in text
    assert "column 20:" not in text


def test_too_few_positives_show_no_difference() -> None:
    text = read_words(make_profile({"no": 90, "yes": 3})).text
    assert "No difference between two strategies could be shown at all." in text
    assert "none" in text


@pytest.mark.parametrize("n_classes", [3, 20, 21, 100])
def test_many_classes_are_drawn_as_far_as_they_can_be_read(n_classes: int) -> None:
    profile = make_profile(many_classes(n_classes))
    ax = draw_profile(profile)["class_counts"].axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    written = [text.get_text() for text in ax.texts]
    assert len(labels) == min(n_classes, 20)
    assert labels[0] == "class 0"
    assert labels[-1] == f"class {n_classes - 1}"
    assert any("left out" in text for text in written) == (n_classes > 20)
    if n_classes == 100:
        assert "80 classes of 486 to 32,402 rows left out" in written
    assert n_classes < 51 or "class 50" in render_body(profile)


def test_bars_carry_counts_and_shares() -> None:
    ax = draw_profile(make_profile({"no": 99_990, "yes": 10}))["class_counts"].axes[0]
    assert [text.get_text() for text in ax.texts] == ["99,990 (100.0%)", "10 (0.01%)"]


def test_the_map_counts_every_kind() -> None:
    legend = draw_profile(make_profile())["projection"].legends[0]
    texts = [text.get_text() for text in legend.get_texts()]
    assert [text.split(":")[0].split(" (")[0] for text in texts] == list(KINDS)
    assert [text[-4:].strip(" (") for text in texts] == ["80)", "8)", "8)", "8)", "8)"]
    assert legend.get_title().get_text() == "32 of 35 rows of the class, 80 of 301 others"


@pytest.mark.parametrize("n_features", [1, 2, 5, 6, 7, 10])
def test_every_feature_has_a_picture(n_features: int) -> None:
    features = [make_feature(f"f{i}", 2 + 3 * i) for i in range(n_features)]
    figure = draw_profile(make_profile(sketch=make_sketch(*features)))["feature_overlap"]
    titles = [ax.get_title(loc="left").split("\n") for ax in figure.axes]
    assert titles == [[f"f{i}", "overlap 0.55, AUC 0.78"] for i in range(n_features)]
    ends = [ax.get_xticklabels()[-1].get_text() for ax in figure.axes]
    assert ends == ["missing"] * n_features


@functools.cache
def draw_awkward(name: str) -> Mapping[str, Any]:
    features = [replace(make_feature(name, 4), bins=(name, "b", name, name)), make_feature(name)]
    counts = {name: 4_000_000_000, "b": 35}
    return draw_profile(make_profile(counts, minority=name, sketch=make_sketch(*features)))


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("figure", ["class_counts", "projection", "feature_overlap"])
def test_nothing_written_leaves_its_picture(figure: str, name: str) -> None:
    drawn = draw_awkward(name)[figure]
    drawn.savefig(BytesIO(), dpi=100)
    width, height = drawn.get_size_inches()
    box = drawn.get_tightbbox()
    assert box.x0 > -0.02 and box.y0 > -0.02, box
    assert box.x1 < width + 0.02 and box.y1 < height + 0.02, box


@pytest.mark.slow
@pytest.mark.parametrize("label", ["yes", HOSTILE, "a" * 300])
def test_a_browser_shows_the_page(driver: Any, tmp_path: Path, label: str) -> None:
    finding = replace(FINDING, columns=(label,) * 30, rows=(label,) * 30)
    features = [make_feature(label, 2 + 3 * i) for i in range(10)]
    profile = make_profile(
        {"a": 800, "b": 150, label: 50},
        name=label,
        findings=(finding,),
        sketch=make_sketch(*features),
    )
    path = tmp_path / "profile.html"
    path.write_text(render_page(profile), encoding="utf-8")
    driver.get(path.as_uri())
    widths = driver.execute_script("return [...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 3
    assert min(widths) > 400
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert driver.execute_script(wider) == 0
    opened = "document.querySelectorAll('details').forEach(one => one.open = true);"
    assert driver.execute_script(opened + wider) == 0
