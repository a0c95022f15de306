"""A bar chart in SVG."""

from collections.abc import Mapping
from html import escape

_WIDTH, _ROW, _NAMES, _FIGURES = 860, 26, 320, 60


def bars(values: Mapping[str, float]) -> str:
    """One bar for each value, the largest first, in GB."""
    rows = sorted(values.items(), key=lambda row: -row[1])
    scale = (_WIDTH - _NAMES - _FIGURES) / max(values.values())
    drawn = "\n".join(_bar(place, name, value, value * scale) for place, (name, value) in enumerate(rows))
    height = _ROW * (len(rows) + 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13">\n<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n{drawn}\n</svg>\n'
    )


def _bar(place: int, name: str, value: float, width: float) -> str:
    top = _ROW * place + _ROW // 2
    middle = top + _ROW * 2 // 3
    color = "#2a6f97" if name.startswith("ours") else "#c8553d" if name.startswith("Go") else "#9aa5b1"
    return (
        f'<text x="{_NAMES - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_NAMES}" y="{top}" width="{width:.1f}" height="{_ROW - 6}" fill="{color}"/>'
        f'<text x="{_NAMES + width + 6:.1f}" y="{middle}">{value:.1f}</text>'
    )
