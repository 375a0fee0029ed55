"""The page without a browser: what stands in it, and that nothing in it is anything but text."""

from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from headway.reports.board import Settings
from headway.reports.boards import boards
from headway.reports.figures.svg import Scale, element
from headway.reports.page import render
from headway.reports.run_folders import read_runs

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Parsed(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open, self.texts, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)


def parsed(text):
    found = Parsed()
    found.feed(text)
    found.close()
    assert found.open == []  # every element is closed, and in its order
    return found


def test_payloads_are_texts(hostile, page_of):
    text = page_of(hostile).read_text()
    found = parsed(text)
    assert (found.tags.count("script"), found.tags.count("style")) == (1, 1)
    assert not {"img", "iframe", "object", "embed", "form", "input", "base", "a"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not [value for name, value in found.attributes if name in ("href", "src") and value != "data:,"]
    assert "<script>window.pwned=1</script>" in "".join(found.texts)
    assert "{{ 7*7 }}" in "".join(found.texts)
    assert "\x1b" not in text
    assert "http://" not in "".join(value or "" for name, value in found.attributes if name != "title")


def test_a_policy_allows_the_pages_own_parts_alone(hostile, page_of):
    text = page_of(hostile).read_text()
    (policy,) = [
        value for name, value in parsed(text).attributes if name == "content" and "default-src" in value
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_what_the_issue_asks_for_is_there(hostile, page_of):
    words = "".join(parsed(page_of(hostile).read_text()).texts)
    for part in ("Learning curves", "Confusion", "Calibration", "Part by part", "The worst errors",
                 "What was varied", "What mattered", "Where it comes from", "Which configs can be told apart",
                 "3 runs that didn't finish, or collapsed"):  # fmt: skip
        assert part in words


def test_each_table_and_drawing_can_be_read_without_eyes(hostile, page_of):
    text = page_of(hostile).read_text()
    assert text.count("<svg") == text.count('role="img" aria-label="')
    assert text.count("<th>") == 0  # each has a scope


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["class", "pair", "labels", "score", "entities", "words"])
def test_a_real_run_of_each_kind(finished_run, kind):
    folder = finished_run(kind).folder
    found = boards(read_runs([folder]), Settings(resamples=200))
    text = render(found, Settings())
    words = "".join(parsed(text).texts)
    assert "The worst errors" in words
    assert "Part by part" in words
    assert ("Predictions beside right scores" in words) == (kind == "score")
    assert len(text) < 300_000


def test_runs_without_predictions_make_a_page_too(written_run, tmp_path, page_of):
    folder = written_run("a", ["no"], ["no"])
    (folder / "record.json").unlink()
    words = "".join(parsed(page_of(tmp_path / "runs").read_text()).texts)
    assert "Nothing here has finished with predictions" in words
    assert "nothing says why" in words


def test_boards_of_other_documents_are_not_compared(written_run, answers, tmp_path, page_of):
    right, given = answers(0, 10)
    written_run("a", right, given)
    written_run("b", right[:50], given[:50], cfg={"optimizer": {"lr": 0.5}})
    assert "aren't compared with each other" in page_of(tmp_path / "runs").read_text()


def test_elements_escape():
    assert element("text", "<b>", title='"<') == Markup('<text title="&#34;&lt;">&lt;b&gt;</text>')
    assert element("g", element("a"), x=1.5, y=None) == Markup('<g x="1.5"><a></a></g>')


def test_scales():
    scale = Scale(0, 10, 100, 0)
    assert (scale(0), scale(5), scale(10)) == (100, 50, 0)
    assert scale.ticks() == [0, 2.5, 5, 7.5, 10]
    assert Scale(0, 1, 0, 9).ticks(2) == [0, 0.5, 1]
    assert Scale(0.001, 1, 0, 30, logarithmic=True)(0.01) == pytest.approx(10)
    assert Scale(0.001, 1, 0, 30, logarithmic=True).ticks() == pytest.approx([0.001, 0.01, 0.1, 1])
    assert Scale(3, 3, 0, 10)(3) == 5
