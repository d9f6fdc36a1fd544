"""Sections of a model's card as parts of a page: a text is written once, for both."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

__all__ = ["render_markdown", "render_section"]


def render_markdown(content: str) -> str:
    r"""Render Markdown of a card; what is markup in it already is shown as text.

    Parameters
    ----------
    content : str

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> render_markdown("**F1** of `a<b`")
    '<p><strong>F1</strong> of <code>a&lt;b</code></p>\n'
    """
    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(content)
    return re.sub("<table>.*?</table>", r'<div class="scroll">\g<0></div>', rendered, flags=re.S)


def render_section(content: str) -> str:
    r"""Render a section of a card below a heading of the page; one without text is nothing.

    Parameters
    ----------
    content : str
        Its title is at the second level.

    Returns
    -------
    str
        HTML, its title at the third level.

    Examples
    --------
    >>> render_section("## Use\n\nLoad it.")
    '<h3>Use</h3>\n<p>Load it.</p>\n'
    """
    return render_markdown(re.sub("^## ", "### ", content)) if content else ""
