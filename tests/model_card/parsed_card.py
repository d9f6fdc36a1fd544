"""A card taken apart as a reader of Markdown sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass
class Section:
    """What stands under a heading.

    Attributes
    ----------
    paragraphs, items : list of str
        As they are shown.
    tables : list of list of list of str
        Rows of cells, the head first.
    code : list of tuple of str
        Language and content of each block.
    """

    paragraphs: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    code: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.paragraphs or self.items or self.tables or self.code)

    @property
    def words(self) -> str:
        return "\n".join([*self.paragraphs, *self.items])

    def column(self, head: str, table: int = 0) -> dict[str, str]:
        """Return a column of a table by the cells of its first one."""
        heads, *rows = self.tables[table]
        place = heads.index(head)
        return {row[0]: row[place] for row in rows}


@dataclass
class Card:
    """A whole card."""

    front: dict[str, Any]
    title: str
    lead: str
    sections: dict[str, Section]

    def __getitem__(self, title: str) -> Section:
        return self.sections[title]


def shown(token: Token) -> str:
    """Return what a reader sees of a line, markup by its name."""
    kinds = {"text", "code_inline", "text_special", "strong_open", "strong_close"}
    children = token.children or []
    return "".join(one.content if one.type in kinds else f"<{one.type}>" for one in children)


def parse_card(text: str) -> Card:
    """Take a card apart."""
    _, front, body = text.split("---\n", 2)
    card = Card(yaml.safe_load(front), "", "", {})
    tokens = MARKDOWN.parse(body)
    section, place = Section(), 0
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        assert "html" not in token.type, token
        if token.type == "heading_open":
            assert after is not None
            if token.tag == "h1":
                card.title = shown(after)
            else:
                section = card.sections.setdefault(shown(after), Section())
        place += token.nesting if token.type.startswith("list_item") else 0
        _read(token, after, section, in_item=place > 0)
        if not card.sections and section.paragraphs:
            card.lead = section.paragraphs[0]
    return card


def _read(token: Token, after: Token | None, section: Section, *, in_item: bool) -> None:
    if token.type == "table_open":
        section.tables.append([])
    elif token.type == "tr_open":
        section.tables[-1].append([])
    elif token.type in ("th_open", "td_open") and after is not None:
        section.tables[-1][-1].append(shown(after))
    elif token.type == "fence":
        section.code.append((token.info, token.content.rstrip("\n")))
    elif token.type == "paragraph_open" and after is not None:
        (section.items if in_item else section.paragraphs).append(shown(after))


def rows_of(section: Section, table: int = 0) -> Sequence[Sequence[str]]:
    """Return the rows of a table below its head."""
    return section.tables[table][1:]
