"""Reads the HTML that pages and cards are made of, and stops where it is not well formed."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["HOSTILE", "Page"]

HOSTILE = "<script>alert(\"x\")</script> & 'y' <img src=x onerror=z>"


class Page(HTMLParser):
    """Reads a page and stops where elements are not nested as HTML wants it."""

    VOID = ("meta", "img", "br", "input", "link", "hr", "col")
    # What ends an open paragraph.
    BLOCKS = ("p", "div", "section", "article", "header", "table", "ul", "dl", "details", "h2")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not (tag in self.BLOCKS and {"p", "span"} & set(self.open)), (tag, self.open)
        self.tags.append((tag, dict(attrs)))
        assert len(attrs) == len(dict(attrs)), f"{tag} has an attribute twice: {attrs}"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text += "" if self.open and self.open[-1] in ("style", "script") else data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]
