"""Text from the data is shown as it is, whatever it holds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from parsed_card import MARKDOWN, shown

from autoimb.model_card.markdown import MAX_NAME, block, bullets, code, section, table, text

MARKUP = [*"|`<>&*_[]()#+-.!~$\\\n\r\t 1:=\"'a/@", "\u2028", "\u202e", "\ud800", "<b>", "```", "- "]
WILD = st.lists(st.one_of(st.sampled_from(MARKUP), st.characters()), max_size=25).map("".join)
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(content: str) -> str:
    """Return what can be seen of a text in one line."""
    return " ".join(UNPRINTABLE.sub(" ", content).split())


@given(WILD.filter(plain))
def test_a_sentence_is_shown_as_it_is(content: str) -> None:
    tokens = MARKDOWN.parse(bullets([text(content)]))
    assert [token.type for token in tokens] == [
        "bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close",
        "list_item_close", "bullet_list_close",
    ]  # fmt: skip
    assert plain(shown(tokens[3])) == plain(content)


@given(WILD.filter(plain))
def test_a_name_is_shown_as_it_is(content: str) -> None:
    _, line, _ = MARKDOWN.parse(f"Column {code(content)} is *text*.")
    before, name, *_ = line.children or []
    assert (before.content, name.type) == ("Column ", "code_inline")
    assert plain(name.content) == plain(content)


@given(st.lists(st.tuples(WILD, WILD), min_size=1, max_size=4))
def test_a_table_has_the_cells_that_it_was_given(rows: list[tuple[str, str]]) -> None:
    drawn = table(("name", "note"), [(code(name), text(note)) for name, note in rows])
    found = [shown(token) for token in MARKDOWN.parse(drawn) if token.type == "inline"]
    named = [plain(name) or '" "' for name, _ in rows]
    assert [plain(cell).strip('" ') for cell in found[2::2]] == [name.strip('" ') for name in named]
    assert [plain(cell) for cell in found[3::2]] == [plain(note) for _, note in rows]


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])), WILD)
def test_code_is_shown_as_it_is(content: str, name: str) -> None:
    lines = "\n".join([content, f"load({name!r})"])
    (fence,) = MARKDOWN.parse(block(lines, "python"))
    assert (fence.type, fence.info, fence.content) == ("fence", "python", lines + "\n")


def test_words_with_an_underscore_and_versions_stay_legible() -> None:
    assert text("average_precision of 1.9.1, at -5") == "average_precision of 1.9.1, at -5"


def test_an_endless_name_is_cut() -> None:
    assert len(code("x" * 5000)) == MAX_NAME + 2


def test_without_content_there_is_no_table_and_no_section() -> None:
    assert section("Data", "", table(("a", "b"), []), bullets([])) == ""
