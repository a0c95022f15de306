"""Drawings in SVG 1.1 for benchmarks: bars, and curves on logarithmic axes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import chain, cycle

from attrs import frozen

_WIDTH, _ROW, _NAMES, _FIGURES = 860, 26, 320, 60

_COLUMNS, _PANEL_WIDTH, _PANEL_HEIGHT = 2, 430, 400
_LEFT, _TOP, _ACROSS, _DOWN, _LEGEND = 62, 36, 340, 250, 16
"""Of a panel's axes within it, and from one name to the next."""

_COLORS = ("#2a6f97", "#c8553d", "#588157", "#7b4b94", "#c9920e", "#3aa6a0", "#8d5b3f", "#d46a9f")
_GREY = "#aaa"
_PREFIXES = {-3: "n", -2: "&#181;", -1: "m", 0: "", 1: "k", 2: "M"}
_STEPS = 40
"""Of which the guide is drawn, as n log n is no straight line here."""

Curves = Mapping[str, Sequence[tuple[float, float]]]
"""Points by a line's name: N, and the seconds that it costs."""


def bars(values: Mapping[str, float], unit: str = "") -> str:
    """One bar for each value, the largest first; each figure is followed by the unit."""
    rows = sorted(values.items(), key=lambda row: -row[1])
    scale = (_WIDTH - _NAMES - _FIGURES) / max(values.values())
    drawn = (
        _bar(place, name, value * scale, f"{value:.1f} {unit}".rstrip()) for place, (name, value) in enumerate(rows)
    )
    return _drawing(_WIDTH, _ROW * (len(rows) + 1), 13, "\n".join(drawn))


def curves(panels: Mapping[str, Curves]) -> str:
    """A panel for each N, with its lines on logarithmic axes, and n log n beside them: grey, to where the first ends.

    All figures are above 0, and each panel has more than one N.
    """
    drawn = []
    for place, (title, lines) in enumerate(panels.items()):
        row, column = divmod(place, _COLUMNS)
        at = f"translate({column * _PANEL_WIDTH},{row * _PANEL_HEIGHT})"
        drawn.append(f'<g transform="{at}">\n{_panel(title, lines)}\n</g>')
    rows = math.ceil(len(panels) / _COLUMNS)
    return _drawing(_COLUMNS * _PANEL_WIDTH, rows * _PANEL_HEIGHT, 12, "\n".join(drawn))


def _drawing(width: int, height: int, size: int, drawn: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="{size}">\n<rect width="{width}" height="{height}" fill="#fff"/>\n{drawn}\n</svg>\n'
    )


def _bar(place: int, name: str, width: float, figure: str) -> str:
    top = _ROW * place + _ROW // 2
    middle = top + _ROW * 2 // 3
    color = "#2a6f97" if name.startswith("ours") else "#c8553d" if name.startswith("Go") else "#9aa5b1"
    return (
        f'<text x="{_NAMES - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_NAMES}" y="{top}" width="{width:.1f}" height="{_ROW - 6}" fill="{color}"/>'
        f'<text x="{_NAMES + width + 6:.1f}" y="{middle}">{figure}</text>'
    )


@frozen
class _Axis:
    """A logarithmic axis: `low` and `high` are exponents of ten, `start` and `end` where they are in the panel."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Where a value is."""
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> range:
        """The whole exponents on it."""
        return range(math.ceil(self.low), math.floor(self.high) + 1)


def _panel(title: str, lines: Curves) -> str:
    ns, costs = ({point[side] for point in chain(*lines.values())} for side in (0, 1))
    across = _Axis(math.log10(min(ns)), math.log10(max(ns)), _LEFT, _LEFT + _ACROSS)
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    down = _Axis(low, max(high, low + 1), _TOP + _DOWN, _TOP)
    guide = _guide(across, down, next(iter(lines.values()))[-1])
    parts = [
        f'<text x="{_LEFT}" y="{_TOP - 12}" font-weight="bold">{escape(title)}</text>',
        *_grid(across, down),
        f"{_line(guide, _GREY, 1)}{_legend(len(lines), 'n log n', _GREY)}",
    ]
    for place, ((name, points), color) in enumerate(zip(lines.items(), cycle(_COLORS), strict=False)):
        places = [(across.place(n), down.place(cost)) for n, cost in points]
        parts += [_line(places, color, 2), *_dots(places, color), _legend(place, name, color)]
    return "\n".join(parts)


def _grid(across: _Axis, down: _Axis) -> Iterator[str]:
    for power in across.ticks():
        x = across.place(10**power)
        yield f'<path d="M{x:.1f} {_TOP}v{_DOWN}" stroke="#eee"/>'
        yield f'<text x="{x:.1f}" y="{_TOP + _DOWN + 16}" text-anchor="middle">{10**power:,}</text>'
    for power in down.ticks():
        y, (thousands, rest) = down.place(10**power), divmod(power, 3)
        said = f"{10**rest} {_PREFIXES[thousands]}s"
        yield f'<path d="M{_LEFT} {y:.1f}h{_ACROSS}" stroke="#eee"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{said}</text>'
    yield f'<path d="M{_LEFT} {_TOP}v{_DOWN}h{_ACROSS}" fill="none" stroke="#333"/>'


def _guide(across: _Axis, down: _Axis, end: tuple[float, float]) -> list[tuple[float, float]]:
    """Where n log n is within the axes, when it ends there."""
    n, cost = end
    ns = (10 ** (across.low + (across.high - across.low) * step / _STEPS) for step in range(_STEPS + 1))
    places = [(across.place(at), down.place(cost * at * math.log(at) / (n * math.log(n)))) for at in ns if at > 1]
    return [(x, y) for x, y in places if y <= down.start]


def _line(places: Sequence[tuple[float, float]], color: str, width: int) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{width}"/>'


def _dots(places: Sequence[tuple[float, float]], color: str) -> Iterator[str]:
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places)


def _legend(place: int, name: str, color: str) -> str:
    row, column = divmod(place, 2)
    x, y = _LEFT + column * _ACROSS // 2, _TOP + _DOWN + 42 + row * _LEGEND
    square = f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{color}"/>'
    return f'{square}<text x="{x + 16}" y="{y}">{escape(name)}</text>'
