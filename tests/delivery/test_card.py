"""The model card says what the run knew, and no folder of the machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from headway.delivery.artifact_spec import read_spec
from headway.delivery.card import model_card, without_folders

ABOUT = {
    "name": "topics",
    "monitor": "f1_macro",
    "results": {"validation": {"f1_macro": 0.91239, "auroc": None}, "test": {"f1_macro": 0.9}},
    "data": {
        "name": "r8",
        "splits": {
            "train": {"documents": 10, "tokens": 99, "truncated_documents": 2, "tokens_lost": 7},
        },
    },
    "provenance": {"backbone": "minilm", "backbone_revision": None, "seed": 42},
}


@pytest.fixture
def spec(random_artifact):
    return replace(read_spec(random_artifact("bert", "cls")), about=ABOUT)


def test_everything_the_run_knew_is_in_it(spec):
    card = model_card(spec)
    assert card.startswith("---\nlibrary_name: headway\npipeline_tag: text-classification\n")
    front = yaml.safe_load(card.split("---")[1])
    assert front["tags"] == ["headway"]
    for line in (
        "# topics",
        "Reads a text; answers one class a document.",
        "3 labels: `earn`, `grain`, `ship`.",
        "| metric | validation | test |",
        "| f1_macro | 0.9124 | 0.9000 |",
        "| auroc |  |  |",
        "- train: 10 documents, 99 tokens; 2 documents truncated, 7 tokens lost",
        "- It sees 60 tokens at once; longer documents are cut into windows that share 2 tokens.",
        "- backbone: `minilm`",
        "- seed: `42`",
    ):
        assert f"\n{line}\n" in card, line
    assert "revision" not in card


def test_a_card_of_words_and_one_without_results(random_artifact):
    card = model_card(read_spec(random_artifact("bert", "token")))
    assert "pipeline_tag: token-classification" in card
    assert "Reads a list of words; answers a tag a word." in card
    assert "None are known of this artifact." in card


def test_many_labels_are_cut(spec):
    names = [f"label {number}" for number in range(100)]
    card = model_card(replace(spec, label_names=names))
    assert "`label 59`, and 40 more (headway.json has all)" in card
    assert "label 60" not in card


@pytest.mark.parametrize(
    ("given", "kept"),
    [("/home/me/model", "model"), ("./mine", "mine"), ("~/mine", "mine"), ("org/bert", "org/bert"), (3, 3)],
)
def test_folders_of_the_machine_are_left_out(given, kept):
    assert without_folders(given) == kept
