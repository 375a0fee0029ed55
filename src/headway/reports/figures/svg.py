"""SVG elements whose texts and attributes are escaped, and scales from values to places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from headway.reports.plain_text import shown

WIDTH, HEIGHT = 400, 250
"""Units of a figure: few, so that its letters stay readable on a phone."""


def element(name: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """Return an element.

    Args:
        name: Of the element.
        children: Elements, or texts, which are escaped.
        attributes: A trailing underscore is dropped and others become hyphens; None leaves one out.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            plain = f"{value:.5g}" if isinstance(value, float) else value
            parts.append(f' {key.rstrip("_").replace("_", "-")}="{escape(shown(plain))}"')
    inside = "".join(str(escape(child if isinstance(child, Markup) else shown(child))) for child in children)
    return Markup(f"{''.join(parts)}>{inside}</{name}>")  # noqa: S704 -- every part is escaped above


def figure(*children: Markup | str, label: str, width: float = WIDTH, height: float = HEIGHT) -> Markup:
    """Return a whole drawing.

    Args:
        children: What is in it.
        label: What it shows, for those who can't see it.
        width: Units.
        height: Units.
    """
    return element(
        "svg",
        element("title", label),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=label,
    )


def label(text: str, x: float, y: float, *, anchor: str = "start", class_: str = "tick") -> Markup:
    """Return a text at a place."""
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=class_)


def path(points: Sequence[tuple[float, float]], *, class_: str, title: str | None = None) -> Markup:
    """Return a line through points."""
    steps = " ".join(f"{'L' if place else 'M'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
    children = [] if title is None else [element("title", title)]
    return element("path", *children, d=steps, class_=class_)


@dataclass(frozen=True)
class Scale:
    """From values to places, linear or logarithmic.

    Attributes:
        low: Value at `start`.
        high: Value at `end`.
        start: Place.
        end: Place.
        logarithmic: Whether equal ratios are equally far apart.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        low, high = self._moved(self.low), self._moved(self.high)
        share = 0.5 if high == low else (self._moved(value) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def _moved(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def ticks(self, number: int = 4) -> list[float]:
        """Return round values between low and high, or powers of ten."""
        if self.high <= self.low:
            return [self.low]
        if self.logarithmic:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [10.0**power for power in powers] or [self.low, self.high]
        rough = (self.high - self.low) / number
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [step * each for each in range(first, last + 1)]


def number(value: float) -> str:
    """Return a value as an axis says it."""
    return f"{value:.4g}"


def padded(values: Sequence[float], share: float = 0.06) -> tuple[float, float]:
    """Return the range of values with some room around it."""
    low, high = min(values), max(values)
    room = (high - low) * share or abs(high) * share or 1.0
    return low - room, high + room
