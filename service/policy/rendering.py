"""A notice as Markdown, or as a piece of HTML to be put into a page."""

from __future__ import annotations

from html import escape

from mandant.service.policy.notice import Grid, Notice

__all__ = ["html", "markdown"]


def markdown(notice: Notice) -> str:
    """CommonMark with pipe tables, ending in a line break."""
    blocks = [f"## {notice.title}", notice.as_of, *notice.before]
    for grid in notice.tables:
        blocks += [f"### {grid.title}"] if grid.title else []
        lines = [grid.heads, ("---",) * len(grid.heads), *grid.rows]
        blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join([*blocks, *notice.behind]) + "\n"


def html(notice: Notice) -> str:
    """One `section` in the notice's language: no style, no script, so any page's own apply."""
    parts = [f'<section lang="{notice.language}">', f"<h2>{escape(notice.title)}</h2>"]
    parts += [f"<p>{escape(text)}</p>" for text in (notice.as_of, *notice.before)]
    for grid in notice.tables:
        parts += [f"<h3>{escape(grid.title)}</h3>"] if grid.title else []
        parts += _table(grid)
    parts += [f"<p>{escape(text)}</p>" for text in notice.behind]
    return "\n".join([*parts, "</section>"]) + "\n"


def _table(grid: Grid) -> list[str]:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in grid.heads)
    rows = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in grid.rows]
    return ["<table>", f"<thead><tr>{heads}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"]
