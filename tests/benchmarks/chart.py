"""A bar for each ratio against the line of its target, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tests.benchmarks.figure import Figure

__all__ = ["chart"]

WIDTH, ROW, TOP, LEFT = 980, 26, 44, 470
BAR = 400  # pixels for twice the target


def chart(figures: Sequence[Figure]) -> str:
    """Bars scaled so that every target lies on one vertical line; green where met, red where not."""
    shown = [figure for figure in figures if figure.ratio is not None]
    height = TOP + ROW * len(shown) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
        ' font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="12" y="20" font-size="15">ours / peer, each against its target (the line)</text>',
    ]
    for number, figure in enumerate(shown):
        assert figure.ratio is not None
        y = TOP + ROW * number
        width = min(figure.ratio / figure.target / 2, 1.0) * BAR
        colour = "#2e7d32" if figure.met else "#c62828"
        words = f"{figure.ratio:.2f} ({figure.bound} {figure.target:g})"
        parts += [
            f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(figure.name)}</text>',
            f'<rect x="{LEFT}" y="{y + 4}" width="{width:.1f}" height="{ROW - 10}" fill="{colour}"/>',
            f'<text x="{LEFT + BAR + 8}" y="{y + 16}">{escape(words)}</text>',
        ]
    line = LEFT + BAR / 2
    parts.append(
        f'<line x1="{line}" x2="{line}" y1="{TOP - 4}" y2="{height - 8}" stroke="#333" stroke-dasharray="4 3"/>'
    )
    return "\n".join([*parts, "</svg>", ""])
