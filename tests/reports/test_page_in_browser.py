"""The page in headless Chromium: on a phone and on a desk, light and dark, with payloads in every text."""

import pytest

pytestmark = pytest.mark.slow

OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
WIDTHS = "[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]"
STICKING_OUT = """
[...document.querySelectorAll('main *')].filter(each => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.right > innerWidth + 1 && !each.closest('.scroll');
}).map(each => each.outerHTML.slice(0, 200))
"""
COLOURS = """
(() => {
  const style = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(document.createElement('i'));
  const names = ['ink', 'soft', 'good', 'bad', 'warn', 'paper', 'card', 'wash'];
  names.push('good-wash', 'bad-wash', 'warn-wash');
  const found = {};
  for (const name of names) {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    canvas.fillStyle = style.getPropertyValue('--' + name);
    canvas.fillRect(0, 0, 1, 1);
    found[name] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }
  probe.remove();
  return found;
})()
"""
PAIRS = [("ink", "paper"), ("ink", "card"), ("ink", "wash"), ("soft", "paper"), ("soft", "card"),
         ("soft", "wash"),
         ("good", "card"), ("bad", "card"), ("good", "good-wash"), ("bad", "bad-wash"), ("warn", "warn-wash"),
         ("ink", "good-wash"), ("soft", "good-wash")]  # fmt: skip


def luminance(colour):
    parts = [(value / 255 + 0.055) / 1.055 if value > 10 else value / 255 / 12.92 for value in colour]
    return sum(
        weight * (part**2.4 if value > 10 else part)
        for weight, part, value in zip((0.2126, 0.7152, 0.0722), parts, colour, strict=True)
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_payloads_are_inert_and_nothing_sticks_out(hostile, page_of, browser, width, scheme):
    path = page_of(hostile)
    seen = browser.visit(
        path, WIDTHS, OPEN_ALL, WIDTHS, STICKING_OUT, "typeof window.pwned",
        "document.querySelectorAll('script, img, iframe').length", "document.title",
        width=width, scheme=scheme,
    )  # fmt: skip
    before, _, after, sticking, pwned, elements, title = seen.values
    assert (seen.errors, seen.requests) == ([], [path.as_uri()])
    assert max(before) == max(after) == width  # no more than the window; less beside a scroll bar
    assert sticking == []
    assert (pwned, elements, title) == ("undefined", 1, "headway report")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_the_button(hostile, page_of, browser, scheme):
    background = "getComputedStyle(document.body).backgroundColor"
    press = "document.getElementById('theme').click()"
    say = "document.getElementById('theme').textContent"
    seen = browser.visit(
        page_of(hostile), background, say, press, background, say, press, background, scheme=scheme
    )
    first, said, _, second, then, _, third = seen.values
    light, dark = "rgb(246, 247, 249)", "rgb(15, 20, 26)"
    assert (first, second, third) == ((light, dark, light) if scheme == "light" else (dark, light, dark))
    assert (said, then) == (("Dark", "Light") if scheme == "light" else ("Light", "Dark"))
    assert seen.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(hostile, page_of, browser, scheme):
    (colours,) = browser.visit(page_of(hostile), COLOURS, scheme=scheme).values
    for text, behind in PAIRS:
        high, low = sorted((luminance(colours[text]), luminance(colours[behind])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, behind)  # WCAG 2.2, 1.4.3


def test_the_leaderboard_can_be_read_on_a_phone(hostile, page_of, browser):
    seen = browser.visit(
        page_of(hostile),
        "[...document.querySelectorAll('.board tr')].every(e => e.getBoundingClientRect().width <= 375)",
        "getComputedStyle(document.querySelector('.board tbody td[data-name]'), '::before').content",
        "parseFloat(getComputedStyle(document.querySelector('.board .mean')).fontSize) >= 13",
        "document.querySelector('meta[name=viewport]').content",
        width=375,
    )
    fits, name, large, viewport = seen.values
    assert (fits, large, viewport) == (True, True, "width=device-width, initial-scale=1")
    assert "runs" in name
