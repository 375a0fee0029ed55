"""Parallel coordinates: a line a config, through what it was set to, to what it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from headway.reports.configs import text
from headway.reports.figures.svg import WIDTH, Scale, element, figure, label, number, path

LEVELS = 5
"""Shades from worst to best."""
_TOP, _BOTTOM, _SIDE = 34, 226, 34
MOST_AXES = 7


def is_number(value: Any) -> bool:
    """Return whether a setting has a place on a scale."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def parallel(
    settings: Sequence[Mapping[str, Any]], values: Sequence[float], *, keys: Sequence[str], metric: str,
    names: Mapping[str, str], lower_is_better: bool,
) -> Markup:  # fmt: skip
    """Return the drawing.

    Args:
        settings: Key -> value of each config.
        values: The metric of each.
        keys: What stands on the axes; those beyond MOST_AXES don't.
        metric: What the last axis says.
        names: Key -> what its axis says.
        lower_is_better: Whether the best are the lowest.
    """
    axes = list(keys)[:MOST_AXES]
    width = WIDTH - 2 * _SIDE
    at = [_SIDE + width * place / len(axes) for place in range(len(axes) + 1)]
    stems: list[Markup] = []
    parts: list[Markup] = []
    labels: list[Markup] = []  # on top of the lines
    places: list[Callable[[Any], float]] = []
    for key, x in zip(axes, at, strict=False):
        place, ticks = _axis([each.get(key) for each in settings])
        places.append(place)
        stems.append(_stem(x))
        labels += _labels(names[key], x, ticks)
    scale = Scale(min(values), max(values), _BOTTOM, _TOP)
    stems.append(_stem(at[-1]))
    labels += _labels(metric, at[-1], [(scale(tick), number(tick)) for tick in _ends(scale, values)])
    worst_first = sorted(range(len(values)), key=lambda i: -values[i] if lower_is_better else values[i])
    for order, i in enumerate(worst_first):
        level = order * LEVELS // len(values)
        points = [(x, place(settings[i].get(key))) for key, x, place in zip(axes, at, places, strict=False)]
        said = ", ".join(f"{names[key]} {text(settings[i].get(key))}" for key in axes)
        points.append((at[-1], scale(values[i])))
        parts.append(path(points, class_=f"line v{level}", title=f"{said}: {number(values[i])}"))
    return figure(*stems, *parts, *labels, label=f"{metric} by what was varied", height=250)


def _ends(scale: Scale, values: Sequence[float]) -> list[float]:
    return sorted({min(values), max(values)}) if len(set(values)) > 1 else [scale.low]


def _axis(values: Sequence[Any]) -> tuple[Callable[[Any], float], list[tuple[float, str]]]:
    """Return what places a value, and the marks of the axis."""
    if all(is_number(value) for value in values):
        low, high = min(values), max(values)
        scale = Scale(low, high, _BOTTOM, _TOP, logarithmic=low > 0 and high / low > 20)
        known = sorted(set(values))
        marked = known if len(known) <= 5 else [low, high]
        return scale, [(scale(value), number(value)) for value in marked]
    known = sorted({text(value) for value in values})
    steps = Scale(0, max(len(known) - 1, 1), _BOTTOM - 12, _TOP + 12)
    at = {name: steps(place) for place, name in enumerate(known)}
    return lambda value: at[text(value)], [(place, name) for name, place in at.items()]


def _stem(x: float) -> Markup:
    return element("line", x1=x, x2=x, y1=_TOP, y2=_BOTTOM, class_="stem")


def _labels(name: str, x: float, ticks: Sequence[tuple[float, str]]) -> list[Markup]:
    anchor = "start" if x < WIDTH * 0.2 else "end" if x > WIDTH * 0.8 else "middle"
    edge = 0.0 if anchor == "start" else WIDTH if anchor == "end" else x
    parts = [label(name if len(name) <= 18 else name[:17] + "…", edge, 14, anchor=anchor, class_="axis")]
    side = "end" if anchor == "end" else "start"
    for y, said in ticks:
        shift = -5 if side == "end" else 5
        shortened = said if len(said) <= 14 else said[:13] + "…"
        parts.append(label(shortened, x + shift, y + 4, anchor=side, class_="tick halo"))
    return parts
