"""Learning curves of configs, the mean over their runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from markupsafe import Markup

from headway.reports.curves import Curve
from headway.reports.figures.svg import HEIGHT, WIDTH, Scale, element, figure, label, number, padded, path

COLOURS = 6
"""Configs with a colour of their own; the others are grey."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 10, 34


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Return the mean of curves at each epoch, over those that got so far.

    Args:
        curves: (epoch, value) points.
    """
    at: dict[float, list[float]] = defaultdict(list)
    for curve in curves:
        for epoch, value in curve:
            at[epoch].append(value)
    return tuple((epoch, fmean(values)) for epoch, values in sorted(at.items()))


def curve_plot(curves: Mapping[str, Curve], *, title: str) -> Markup | None:
    """Return a drawing of curves; the first ones are drawn last, on top, in colours.

    Args:
        curves: Name -> curve, the most important first.
        title: What the values are.

    Returns:
        None where nothing has a point.
    """
    drawn = {name: curve for name, curve in curves.items() if curve}
    if not drawn:
        return None
    points = [point for curve in drawn.values() for point in curve]
    x = Scale(min(epoch for epoch, _ in points), max(epoch for epoch, _ in points), _LEFT, WIDTH - _RIGHT)
    y = Scale(*padded([value for _, value in points]), HEIGHT - _BOTTOM, _TOP)
    parts = []
    for tick in y.ticks():
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid"))
        parts.append(label(number(tick), _LEFT - 6, y(tick) + 4, anchor="end"))
    for tick in x.ticks(6):
        if tick == int(tick):
            parts.append(label(number(tick), x(tick), HEIGHT - _BOTTOM + 17, anchor="middle"))
    parts.append(label("epoch", (WIDTH + _LEFT) / 2, HEIGHT - 3, anchor="middle", class_="axis"))
    for place, (name, curve) in reversed(list(enumerate(drawn.items()))):
        kind = f"line s{place}" if place < COLOURS else "line rest"
        places = [(x(epoch), y(value)) for epoch, value in curve]
        said = f"{name}: {number(curve[0][1])} to {number(curve[-1][1])}"
        parts.append(path(places, class_=kind, title=said))
        if place < COLOURS:
            parts.append(element("circle", cx=places[-1][0], cy=places[-1][1], r=3, class_=f"dot s{place}"))
    return figure(*parts, label=f"{title} by epoch")
