"""Intervals in a table's cells, reliability diagrams, scatter plots, and importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from headway.reports.figures.svg import Scale, element, figure, label, number, padded, path

MOST_DOTS = 1_000


def whisker(
    mean: float, interval: tuple[float, float] | None, values: Sequence[float], *, within: tuple[float, float]
) -> Markup:
    """Return a mean with its interval and the runs behind it, on the scale of its table.

    Args:
        mean: Of the config.
        interval: Of the mean; None for none.
        values: Of its runs.
        within: What the table's rows lie in.
    """
    x = Scale(*within, 4, 156)
    parts = [element("line", x1=0, x2=160, y1=12, y2=12, class_="grid")]
    said = f"mean {mean:.4f}"
    if interval is not None:
        parts.append(element("line", x1=x(interval[0]), x2=x(interval[1]), y1=12, y2=12, class_="range"))
        said += f", from {interval[0]:.4f} to {interval[1]:.4f}"
    for value in values if len(values) > 1 else ():
        parts.append(element("line", x1=x(value), x2=x(value), y1=6, y2=18, class_="run"))
    parts.append(element("circle", cx=x(mean), cy=12, r=4.5, class_="mean"))
    return figure(*parts, label=said, width=160, height=24)


def reliability(bins: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Return accuracy beside confidence, a bar a bin, with the number of claims below.

    Args:
        bins: As calibration.json has them.

    Returns:
        None where no bin holds a claim.
    """
    used = [each for each in bins if each.get("count")]
    if not used:
        return None
    x, y = Scale(0, 1, 40, 292), Scale(0, 1, 214, 8)
    most = max(each["count"] for each in used)
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(element("line", x1=40, x2=292, y1=y(tick), y2=y(tick), class_="grid"))
        parts.append(label(number(tick), 34, y(tick) + 4, anchor="end"))
    for tick in (0.0, 0.5, 1.0):
        parts.append(label(number(tick), x(tick), 290, anchor="middle"))
    for each in used:
        left, right = x(each["low"]) + 1, x(each["high"]) - 1
        said = (
            f"confidence {each['low']:.2f} to {each['high']:.2f}: {each['count']} claims, "
            f"{each['accuracy']:.3f} came true, {each['confidence']:.3f} claimed"
        )
        top = y(each["accuracy"])
        parts.append(
            element("rect", element("title", said), x=left, y=top, width=right - left,
                    height=max(214 - top, 0.5), class_="bar")
        )  # fmt: skip
        claimed = y(each["confidence"])
        parts.append(element("line", x1=left, x2=right, y1=claimed, y2=claimed, class_="claim"))
        height = 48 * each["count"] / most
        parts.append(
            element("rect", x=left, y=272 - height, width=right - left, height=height, class_="bar faint")
        )
    parts.append(path([(x(0), y(0)), (x(1), y(1))], class_="ideal"))
    parts.append(label("confidence", 166, 306, anchor="middle", class_="axis"))
    return figure(*parts, label="share that came true by confidence, above the number of claims", width=300,
                  height=310)  # fmt: skip


def scatter(right: Sequence[float], given: Sequence[float]) -> Markup:
    """Return predictions beside the right scores.

    Args:
        right: Scores.
        given: Predictions, of the same documents.
    """
    step = max(1, len(right) // MOST_DOTS)
    pairs = [(a, b) for a, b in zip(right, given, strict=True) if a == a and b == b][::step]
    if not pairs:
        return figure(label="no prediction", height=10)
    low, high = padded([value for pair in pairs for value in pair])
    x, y = Scale(low, high, 40, 292), Scale(low, high, 260, 8)
    parts = []
    for tick in y.ticks():
        parts.append(element("line", x1=40, x2=292, y1=y(tick), y2=y(tick), class_="grid"))
        parts.append(label(number(tick), 34, y(tick) + 4, anchor="end"))
        parts.append(label(number(tick), x(tick), 278, anchor="middle"))
    parts.append(path([(x(low), y(low)), (x(high), y(high))], class_="ideal"))
    parts += [element("circle", cx=x(a), cy=y(b), r=2.5, class_="point") for a, b in pairs]
    parts.append(label("right score; upwards the prediction", 166, 300, anchor="middle", class_="axis"))
    return figure(*parts, label="predictions by right scores", width=300, height=306)


def bars(values: Mapping[str, float], *, title: str) -> Markup:
    """Return a bar a name, the longest first, with shares of 1.

    Args:
        values: Name -> share in [0, 1].
        title: What they are.
    """
    parts = []
    for place, (name, value) in enumerate(sorted(values.items(), key=lambda item: -item[1])):
        y = 12 + place * 40
        parts.append(label(name, 0, y + 2))
        parts.append(element("rect", x=0, y=y + 8, width=340, height=12, rx=3, class_="track"))
        parts.append(
            element("rect", x=0, y=y + 8, width=max(340 * value, 1.0), height=12, rx=3, class_="bar")
        )
        parts.append(label(f"{value:.0%}", 348, y + 18))
    return figure(*parts, label=title, height=max(len(values) * 40, 1))
