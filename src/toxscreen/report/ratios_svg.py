"""The ratios of a comparison with their intervals as an SVG picture: a row a benchmark, the resolution in the middle.

It needs nothing beside itself and follows the reader's choice of light or dark. The scale is logarithmic: twice as
fast lies as far from the middle as twice as slow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from toxscreen.model import Change, Compared, Comparison, Interval
from toxscreen.report.drawing import box, fitted, number, text, text_of

_WIDTH: Final = 1000.0
_MARGIN: Final = 14.0
_LEFT, _RIGHT = 370.0, 860.0
_MIDDLE: Final = (_LEFT + _RIGHT) / 2
_HEAD, _ROW = 100.0, 22.0
_STYLES: Final = {Change.REGRESSED: "r", Change.IMPROVED: "p", Change.SAME: "q", Change.UNDECIDED: "u"}
_ORDER: Final = tuple(_STYLES)
#: Log ratios from which the picture takes the narrowest that holds everything; the last one holds what is cut off.
_SCALES: Final = tuple(math.log1p(each) for each in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 9.0))
#: Ticks for each of these, as ratios above 1; those below are their inverses.
_TICKS: Final = (
    (1.01, 1.02),
    (1.02, 1.05),
    (1.05, 1.1),
    (1.1, 1.2),
    (1.2, 1.5),
    (1.5, 2.0),
    (2.0, 4.0),
    (3.0, 10.0),
)
_STYLE: Final = """\
text{font:11px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}
.h{font-size:16px;font-weight:600}.m{fill:#59636e}.e{text-anchor:end}.t{text-anchor:middle;fill:#59636e}
.b{fill:#fff}.z{fill:#eef1f4}.g{stroke:#d5dbe1;stroke-width:1}.o{stroke:#59636e;stroke-width:1}
path{fill:none;stroke-width:2}circle{stroke:none}
.r{stroke:#cf2f3c;fill:#cf2f3c}.p{stroke:#2a8260;fill:#2a8260}.q{stroke:#6b7683;fill:#6b7683}
.u{stroke:#b07d18;fill:#b07d18}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.m,.t{fill:#9aa4af}.b{fill:#0d1117}.z{fill:#1b2128}.g{stroke:#2c333b}.o{stroke:#9aa4af}
.r{stroke:#f0616b;fill:#f0616b}.p{stroke:#3fb58a;fill:#3fb58a}.q{stroke:#9aa4af;fill:#9aa4af}
.u{stroke:#d9a036;fill:#d9a036}}
"""


def render(comparison: Comparison) -> str:
    """The picture. What was not measured is only listed below.

    Args:
        comparison: all of it, or as far as it came.
    """
    shown = sorted(
        ((each, each.interval) for each in comparison.compared if _is_drawn(each) and each.interval is not None),
        key=lambda pair: (_ORDER.index(pair[0].change), -pair[1].ratio, pair[0].node_id),
    )
    rest = [each for each in comparison.compared if each not in [pair[0] for pair in shown]]
    half = _scale([found for _, found in shown], comparison.resolution)
    foot = _HEAD + _ROW * max(len(shown), 1)
    shapes = [
        *_head(comparison),
        *_axis(half, comparison.resolution, foot),
        *(shape for place, pair in enumerate(shown) for shape in _row(*pair, _HEAD + _ROW * (place + 0.5), half)),
        *_rest(rest, foot + 30),
    ]
    height = foot + 30 + (18 * len(rest) + 10 if rest else 0)
    name = text_of(_title(comparison))
    drawn = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {number(height)}" width="{_WIDTH:g}"'
        f' height="{number(height)}" role="img" aria-label="{name}">\n<title>{name}</title>\n'
        f"<style>\n{_STYLE}</style>\n{box('b', 0, 0, _WIDTH, round(height, 2))}\n{drawn}\n</svg>\n"
    )


def _title(comparison: Comparison) -> str:
    base, candidate = ((side.commit or "no commit")[:12] for side in (comparison.base, comparison.candidate))
    changed = " with uncommitted changes" if comparison.candidate.dirty else ""
    return f"{candidate}{changed} against {base}"


def _is_drawn(each: Compared) -> bool:
    found = each.interval
    return each.change in _STYLES and found is not None and math.isfinite(found.ratio) and found.ratio > 0


def _scale(intervals: list[Interval], resolution: float) -> float:
    """The log ratio at the right edge."""
    ends = [end for found in intervals for end in found if math.isfinite(end) and end > 0]
    widest = max([abs(math.log(end)) for end in ends] + [1.5 * math.log1p(resolution)])
    return next((each for each in _SCALES if widest <= each), _SCALES[-1])


def _x(ratio: float, half: float) -> float:
    """Where a ratio lies; what is beyond an edge lies on it."""
    if ratio <= 0:
        return _LEFT
    place = math.log(ratio) / half if math.isfinite(ratio) else 1.0
    return _MIDDLE + max(-1.0, min(1.0, place)) * (_RIGHT - _LEFT) / 2


def _head(comparison: Comparison) -> Iterator[str]:
    yield text(_title(comparison), _MARGIN, 28, "h")
    resolution = f"{100 * comparison.resolution:g} %"
    check = comparison.self_check
    told = f"time of one execution, candidate over base; shaded: within the resolution of {resolution}"
    if not check.passed:
        told += "; the base against itself did not pass, so nothing is judged"
    yield text(fitted(told, _WIDTH - 2 * _MARGIN, 11), _MARGIN, 47, "m")
    yield text("faster", _LEFT, 68, "m")
    yield text("slower", _RIGHT, 68, "e m")


def _axis(half: float, resolution: float, foot: float) -> Iterator[str]:
    left, right = _x(1 / (1 + resolution), half), _x(1 + resolution, half)
    yield box("z", left, _HEAD, right - left, foot - _HEAD)
    for above in (1.0, *_TICKS[_SCALES.index(half)]):
        for ratio in {above, 1 / above}:
            x = number(_x(ratio, half))
            yield f'<path class="{"o" if above == 1 else "g"}" d="M{x} {_HEAD - 8:g}V{number(foot)}"/>'
            yield text(f"{ratio:.3g}", float(x), _HEAD - 14, "t")


def _row(each: Compared, found: Interval, y: float, half: float) -> Iterator[str]:
    style = _STYLES[each.change]
    told = f"{found.ratio:.3f} ({found.low:.3f} to {found.high:.3f})"
    words = f"{each.node_id}\n{each.change}: {told}\n{each.reason}"
    yield text(_short(each.node_id, _LEFT - 2 * _MARGIN), _MARGIN, y + 4)
    low, high = (number(_x(end, half)) for end in (found.low, found.high))
    yield f'<g class="{style}"><title>{text_of(words)}</title>'
    yield f'<path class="{style}" d="M{low} {number(y)}H{high}M{low} {number(y - 4)}v8M{high} {number(y - 4)}v8"/>'
    yield f'<circle class="{style}" cx="{number(_x(found.ratio, half))}" cy="{number(y)}" r="4"/></g>'
    yield text(f"{found.ratio:.3f}", _RIGHT + 52, y + 4, "e")
    yield text(each.change.value, _RIGHT + 62, y + 4, "m")


def _short(node_id: str, width: float) -> str:
    """As much of a node id as there is room for; its end tells more than its folder."""
    name = fitted(node_id, width, 11)
    return name if name == node_id else fitted(node_id.rpartition("/")[2], width, 11)


def _rest(rest: list[Compared], y: float) -> Iterator[str]:
    for place, each in enumerate(sorted(rest, key=lambda each: (each.change, each.node_id))):
        yield text(fitted(f"{each.change}: {each.node_id}", _WIDTH - 2 * _MARGIN, 11), _MARGIN, y + 18 * place, "m")
