"""An artifact comes back as it was written, whole or with a message that says what is wrong."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CONFIG_MAPPING, AutoModel

import headway
from headway.cli.main import main
from headway.delivery.artifact import PREVIOUS, artifact_folder, put_in_place, write_artifact
from headway.delivery.artifact_spec import ArtifactSpec, read_spec, write_spec
from headway.delivery.file_sums import file_sums
from headway.delivery.inputs import with_replacements
from headway.delivery.loading import Artifact
from headway.delivery.torch_predictor import torch_predictor
from headway.evaluation.aggregation import MeanLogits, WordFarthest
from headway.evaluation.decoding import Argmax
from headway.models.encoder import Encoder
from headway.models.heads.cls import ClsHead
from headway.models.heads.token import TokenHead
from headway.types import DataError, HeadwayError

LABELS = ["earn", "grain", "ship"]
TEXTS = [
    "The fox jumps.",
    "Shares in the company fell, and the quarterly results disappointed investors.",
    "dog",
]
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 40,
    "initializer_range": 0.2,
}
FAMILIES = {  # family: tokenizer, more of its config
    "bert": ("wordpiece", {}),
    "distilbert": ("wordpiece", {}),
    "electra": ("wordpiece", {"embedding_size": 16}),
    "roberta": ("roberta", {}),
    "modernbert": ("modernbert", {"local_attention": 8}),
    "deberta-v2": (
        "unigram",
        {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 8},
    ),
}
SPEC = ArtifactSpec(
    target={"_target_": "headway.data.targets.ClassTarget"},
    label_names=LABELS,
    columns={"text": "body"},
    encoding={
        "max_length": 12,
        "truncation": "windows",
        "overlap": 2,
        "subword_labels": "first",
        "token_type_ids": False,
    },
    head={"_target_": "headway.models.heads.cls.ClsHead", "pooling": "mean", "dropout": 0.1},
    layout="auto",
    attention="sdpa",
    aggregation=MeanLogits().to_spec(),
    decoding=Argmax().to_spec(),
    precision="32-true",
    eval_batch_size=2,
)


def build_parts(family, tokenizer, *, head=None, trainable="all", **changes):
    """A random encoder with a head of three labels, and the spec that describes them."""
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "cls", "sep")}
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](
        vocab_size=len(tokenizer), **SIZES, **special, **FAMILIES[family][1], **changes
    )
    attention = "eager" if family == "deberta-v2" else "sdpa"
    model = AutoModel.from_config(config, attn_implementation=attention, dtype=torch.float32)
    encoder = Encoder(model, trainable=trainable)
    head = head or ClsHead("mean", 0.1, hidden_size=32, num_labels=3, initializer_range=0.5)
    encoder.keep_pooler(wanted=head.uses_pooler)
    encoding = {**SPEC.encoding, "token_type_ids": "token_type_ids" in encoder.inputs}
    return encoder, head, replace(SPEC, attention=attention, encoding=encoding)


def logits_of(predictor, examples):
    return predictor.document_logits(predictor.encode(examples)).logits


def assert_round_trip(folder, parts, tokenizer, examples, aggregation):
    encoder, head, spec = parts
    write_artifact(folder, spec=spec, encoder=encoder, head=head, tokenizer=tokenizer)
    before = torch_predictor(Artifact(spec, encoder, head, aggregation, Argmax(), tokenizer), device="cpu")
    after = headway.load(folder, device="cpu")
    expected = logits_of(before, examples)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(logits_of(after, examples), expected, atol=1e-6, rtol=0)
    assert replace(after.spec, files={}) == spec
    assert after.spec.files == file_sums(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_comes_back(family, request, tmp_path):
    tokenizer = request.getfixturevalue(f"{FAMILIES[family][0]}_tokenizer")
    parts = build_parts(family, tokenizer)
    assert_round_trip(tmp_path / "model", parts, tokenizer, {"text": TEXTS}, MeanLogits())


def test_the_models_own_pooler_comes_back(wordpiece_tokenizer, tmp_path):
    head = ClsHead("pooler", 0.1, hidden_size=32, num_labels=3, initializer_range=0.5)
    encoder, _, spec = build_parts("bert", wordpiece_tokenizer, head=head)
    spec = replace(spec, head={**spec.head, "pooling": "pooler"})
    folder = tmp_path / "model"
    assert_round_trip(folder, (encoder, head, spec), wordpiece_tokenizer, {"text": TEXTS}, MeanLogits())
    assert "encoder.pooler.dense.weight" in load_file(folder / "model.safetensors")


def test_a_token_head_comes_back(wordpiece_tokenizer, tmp_path):
    head = TokenHead(0.1, hidden_size=32, num_labels=3, initializer_range=0.5)
    encoder, _, spec = build_parts("bert", wordpiece_tokenizer, head=head)
    spec = replace(
        spec,
        head={"_target_": "headway.models.heads.token.TokenHead", "dropout": 0.1},
        target={"_target_": "headway.data.targets.TagTarget"},
        columns={"tokens": "0"},
        aggregation=WordFarthest().to_spec(),
    )
    examples = {"tokens": [text.split() for text in TEXTS]}
    parts = (encoder, head, spec)
    assert_round_trip(tmp_path / "model", parts, wordpiece_tokenizer, examples, WordFarthest())


def test_weights_stay_float32_whatever_the_config_says(wordpiece_tokenizer, tmp_path):
    """A model published in float16 has that in its config.json, and is trained in float32 all the same."""
    encoder, head, spec = build_parts("bert", wordpiece_tokenizer)
    encoder.model.config.dtype = torch.float16
    parts = (encoder, head, spec)
    assert_round_trip(tmp_path / "model", parts, wordpiece_tokenizer, {"text": TEXTS}, MeanLogits())


@pytest.fixture(scope="module")
def written(tmp_path_factory, wordpiece_tokenizer):
    folder = tmp_path_factory.mktemp("written") / "model"
    encoder, head, spec = build_parts("bert", wordpiece_tokenizer)
    write_artifact(folder, spec=spec, encoder=encoder, head=head, tokenizer=wordpiece_tokenizer)
    return folder


@pytest.fixture
def artifact(written, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(written, tmp_path / "model")


class TestWriting:
    def test_only_data_are_written(self, written):
        names = sorted(path.name for path in written.iterdir())
        assert names == [
            "README.md",
            "config.json",
            "headway.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
        for path in written.glob("*.json"):
            json.loads(path.read_text())
        assert load_file(written / "model.safetensors")
        assert [path.name for path in written.parent.iterdir()] == ["model"]

    def test_a_failure_leaves_nothing(self, wordpiece_tokenizer, tmp_path, monkeypatch):
        def full(*args, **kwargs):
            raise OSError(errno.ENOSPC, "no space left on device")

        monkeypatch.setattr("safetensors.torch.save_file", full)
        encoder, head, spec = build_parts("bert", wordpiece_tokenizer)
        with pytest.raises(OSError, match="no space"):
            write_artifact(
                tmp_path / "model", spec=spec, encoder=encoder, head=head, tokenizer=wordpiece_tokenizer
            )
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_overwritten(self, artifact, wordpiece_tokenizer):
        encoder, head, spec = build_parts("bert", wordpiece_tokenizer)
        before = (artifact / "model.safetensors").read_bytes()
        with pytest.raises(HeadwayError, match="model must not exist yet"):
            write_artifact(artifact, spec=spec, encoder=encoder, head=head, tokenizer=wordpiece_tokenizer)
        assert (artifact / "model.safetensors").read_bytes() == before


class TestLinkedEncoders:
    """A frozen encoder's weights stand once on the disk, however many heads use them."""

    @pytest.fixture
    def frozen(self, wordpiece_tokenizer, tmp_path):
        """(name) -> the folder of an artifact whose encoder was frozen; its head differs by name."""
        encoder, head, spec = build_parts("bert", wordpiece_tokenizer, trainable="none")

        def write(name):
            torch.nn.init.constant_(head.classifier.bias, float(len(name)))
            write_artifact(
                tmp_path / name, spec=spec, encoder=encoder, head=head, tokenizer=wordpiece_tokenizer,
                link=tmp_path / "kept",
            )  # fmt: skip
            return tmp_path / name

        return write

    def test_heads_share_one_file_and_load(self, frozen):
        folders = [frozen("a"), frozen("bb")]
        inodes = {(folder / "encoder.safetensors").stat().st_ino for folder in folders}
        assert len(inodes) == 1
        assert set(load_file(folders[0] / "model.safetensors")) == {
            "head.classifier.weight",
            "head.classifier.bias",
        }
        for folder in folders:
            state = load_file(folder / "model.safetensors")
            logits = logits_of(headway.load(folder, device="cpu"), {"text": TEXTS})
            assert state["head.classifier.bias"].tolist() == [float(len(folder.name))] * 3
            assert len(logits) == len(TEXTS)

    def test_an_artifact_outlives_what_it_was_linked_to(self, frozen, tmp_path):
        folder = frozen("a")
        shutil.rmtree(tmp_path / "kept")
        expected = logits_of(headway.load(folder, device="cpu"), {"text": TEXTS})
        moved = shutil.copytree(folder, tmp_path / "moved")
        np.testing.assert_array_equal(logits_of(headway.load(moved, device="cpu"), {"text": TEXTS}), expected)

    def test_a_damaged_file_is_told_and_a_damaged_kept_one_written_anew(self, frozen, tmp_path):
        folder = frozen("a")
        (kept,) = (tmp_path / "kept").iterdir()
        kept.unlink()
        shutil.copyfile(folder / "encoder.safetensors", kept)
        flip("encoder.safetensors")(folder)
        with pytest.raises(HeadwayError, match=r"encoder.safetensors must be as headway wrote it"):
            headway.load(folder, device="cpu")
        whole = kept.read_bytes()
        kept.chmod(0o644)
        kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert (frozen("bb") / "encoder.safetensors").read_bytes() == whole

    def test_a_changed_encoder_gets_a_file_of_its_own(self, wordpiece_tokenizer, tmp_path):
        encoder, head, spec = build_parts("bert", wordpiece_tokenizer, trainable="none")
        for name in ("a", "b"):
            write_artifact(
                tmp_path / name, spec=spec, encoder=encoder, head=head, tokenizer=wordpiece_tokenizer,
                link=tmp_path / "kept",
            )  # fmt: skip
            with torch.no_grad():
                encoder.model.embeddings.word_embeddings.weight.add_(1)
        key = "encoder.embeddings.word_embeddings.weight"
        one, other = [load_file(tmp_path / name / "encoder.safetensors")[key] for name in ("a", "b")]
        torch.testing.assert_close(other, one + 1)

    @pytest.mark.parametrize("trouble", ["a file", "vanishes"])
    def test_trouble_in_the_cache_ends_nothing(self, frozen, tmp_path, monkeypatch, trouble):
        if trouble == "a file":
            (tmp_path / "kept").write_text("in the way")
        else:

            def vanish(source, target):
                shutil.rmtree(tmp_path / "kept")
                raise FileNotFoundError(source)

            monkeypatch.setattr("os.link", vanish)
        folder = frozen("a")
        assert not (folder / "encoder.safetensors").exists()
        assert "encoder.embeddings.word_embeddings.weight" in load_file(folder / "model.safetensors")
        assert len(logits_of(headway.load(folder, device="cpu"), {"text": TEXTS})) == len(TEXTS)

    def test_a_stray_encoder_file_is_no_part_of_the_artifact(self, artifact):
        expected = logits_of(headway.load(artifact, device="cpu"), {"text": TEXTS})
        state = load_file(artifact / "model.safetensors")
        save_file({name: value + 1 for name, value in state.items()}, artifact / "encoder.safetensors")
        found = logits_of(headway.load(artifact, device="cpu"), {"text": TEXTS})
        np.testing.assert_array_equal(found, expected)

    def test_an_encoder_file_holds_no_head(self, frozen):
        folder = frozen("a")
        state = load_file(folder / "encoder.safetensors") | load_file(folder / "model.safetensors")
        (folder / "encoder.safetensors").unlink()
        save_file(state, folder / "encoder.safetensors")
        write_spec(folder, replace(read_spec(folder), files=file_sums(folder)))
        with pytest.raises(HeadwayError, match=r"encoder.safetensors must hold encoder.\* alone"):
            headway.load(folder, device="cpu")

    def test_a_file_system_without_links_gets_a_copy(self, frozen, monkeypatch):
        def refuse(*_):
            raise OSError(errno.EXDEV, "another file system")

        monkeypatch.setattr("os.link", refuse)
        folders = [frozen("a"), frozen("bb")]
        one, other = [(folder / "encoder.safetensors") for folder in folders]
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_ino != other.stat().st_ino


def respell(**changes):
    """Change headway.json by hand."""

    def damage(folder):
        path = folder / "headway.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return damage


def resign(**changes):
    """Change headway.json under a right signature, as another program may write it."""
    return lambda folder: write_spec(folder, replace(read_spec(folder), **changes))


def edit_weights(change):
    """Other weights under a right signature, as another program may write them."""

    def damage(folder):
        state = load_file(folder / "model.safetensors")
        change(state)
        save_file(state, folder / "model.safetensors")
        write_spec(folder, replace(read_spec(folder), files=file_sums(folder)))

    return damage


def flip(name, place=-2):
    def damage(folder):
        content = bytearray((folder / name).read_bytes())
        content[place] ^= 1
        (folder / name).write_bytes(content)

    return damage


def respell_text(old, new):
    def damage(folder):
        path = folder / "headway.json"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return damage


def cut(name, size):
    def damage(folder):
        path = folder / name
        path.write_bytes(path.read_bytes()[:size])

    return damage


def remove(name):
    return lambda folder: (folder / name).unlink()


NODE = "_target_"
DAMAGES = {
    "no config": (remove("config.json"), "got none of the name config.json"),
    "no weights": (remove("model.safetensors"), "got none of the name model.safetensors"),
    "no tokenizer": (remove("tokenizer.json"), "got none of the name tokenizer.json"),
    "no spec": (remove("headway.json"), "has no finished model"),
    "no tokenizer_config": (remove("tokenizer_config.json"), "must hold 'tokenizer_config.json'"),
    "half the weights": (cut("model.safetensors", 5000), "model.safetensors must be as headway wrote it"),
    "a bit of the weights": (flip("model.safetensors"), "model.safetensors must be as headway wrote it"),
    "a bit of the config": (flip("config.json"), "config.json must be as headway wrote it"),
    "half a tokenizer": (cut("tokenizer.json", 500), "tokenizer.json must be as headway wrote it"),
    "a letter of a label": (respell_text('"earn"', '"earm"'), "headway.json must be as headway wrote it"),
    "another overlap": (
        respell_text('"overlap": 2', '"overlap": 3'),
        "headway.json must be as headway wrote",
    ),
    "no signature": (respell(sha256=None), "headway.json must be as headway wrote it"),
    "no sums": (respell(files={}), "`files` must hold the folder's files"),
    "sums of an unsigned schema": (respell(schema_version=1), "`files` must hold the folder's files"),
    "a file elsewhere": (respell(files={"../x": "0"}), "`files` must hold names of files in the folder"),
    "half a spec": (cut("headway.json", 100), "headway.json must be JSON as headway wrote it"),
    "an older schema": (respell(schema_version=0), "`schema_version` must be one of [1, 2], got 0"),
    "a newer schema": (respell(schema_version=3), "`schema_version` must be one of [1, 2], got 3"),
    "a foreign key": (respell(labels=[]), "`labels` must be left out"),
    "a wrong type": (respell(label_names="abc"), "`label_names` must be a list, got 'abc'"),
    "no columns": (respell(columns={}), "`columns` must be of text, of text and text_pair, or of tokens"),
    "a label twice": (respell(label_names=["a", "a", "b"]), "`label_names` must be texts that differ"),
    "a label too many": (
        respell(label_names=[*LABELS, "x"]),
        "'head.classifier.weight' must have the shape (4, 32)",
    ),
    "a label too few": (
        respell(label_names=LABELS[:2]),
        "'head.classifier.weight' must have the shape (2, 32)",
    ),
    "thresholds that don't fit": (
        respell(decoding={NODE: "headway.evaluation.decoding.Thresholds", "values": [0.5]}),
        "`task.decoding.values` must hold 3 thresholds, one a label, got 1",
    ),
    "a window too long": (
        resign(encoding={**SPEC.encoding, "max_length": 41}),
        "data.max_length must be",
    ),
    "an unknown strategy": (
        respell(encoding={**SPEC.encoding, "truncation": "x"}),
        "data.truncation must be",
    ),
    "an unknown encoding": (respell(encoding={"x": 1}), "headway.json"),
    "another's code": (respell(head={NODE: "os.system"}), "`head._target_` must be a class of headway.data"),
    "torch's loader": (respell(decoding={NODE: "torch.load"}), "`decoding._target_` must be a class of"),
    "a class that is no head": (
        respell(head={NODE: "headway.data.sources.files.Files"}),
        "`head._target_` must be a head for headway.data.targets.ClassTarget, got Files",
    ),
    "a head of words": (
        respell(head={NODE: "headway.models.heads.token.TokenHead"}),
        "`head._target_` must be a head for headway.data.targets.ClassTarget, got TokenHead",
    ),
    "a class that is no aggregation": (
        respell(aggregation={NODE: "headway.evaluation.decoding.Argmax"}),
        "`aggregation._target_` must be an Aggregation, got Argmax",
    ),
    "an unknown layout": (respell(layout="ragged"), "`backbone.layout` must be one of"),
    "an unknown attention": (respell(attention="flashy"), "must be an artifact as headway wrote it"),
    "a tensor too few": (
        edit_weights(lambda state: state.pop("encoder.encoder.layer.0.output.dense.bias")),
        "got nothing at 'encoder.encoder.layer.0.output.dense.bias'",
    ),
    "a tensor too many": (
        edit_weights(lambda state: state.update({"head.more": torch.zeros(1)})),
        "got one more tensor at 'head.more'",
    ),
    "a foreign tensor": (
        edit_weights(lambda state: state.update({"optimizer": torch.zeros(1)})),
        "must hold encoder.* and head.* alone, got 'optimizer'",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_ends_with_one_message_and_status_2(name, artifact, tmp_path, capsys):
    damage, message = DAMAGES[name]
    damage(artifact)
    (tmp_path / "texts.csv").write_text("body\nThe fox.\n")
    assert main(["predict", str(artifact), str(tmp_path / "texts.csv")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.out == ""


def test_an_artifact_from_before_the_sums_is_read(artifact):
    path = artifact / "headway.json"
    values = json.loads(path.read_text())
    for name in ("files", "about", "onnx", "sha256"):
        del values[name]
    path.write_text(json.dumps({**values, "schema_version": 1}))
    assert headway.load(artifact).label_names == tuple(LABELS)


def test_a_changed_model_card_is_no_damage(artifact):
    (artifact / "README.md").write_text("mine")
    assert headway.load(artifact).label_names == tuple(LABELS)


class TestReplacing:
    def test_the_better_one_takes_the_place(self, artifact, wordpiece_tokenizer):
        encoder, head, spec = build_parts("bert", wordpiece_tokenizer)
        torch.nn.init.constant_(head.classifier.bias, 3.0)
        write_artifact(
            artifact, spec=spec, encoder=encoder, head=head, tokenizer=wordpiece_tokenizer, overwrite=True
        )
        assert load_file(artifact / "model.safetensors")["head.classifier.bias"].tolist() == [3.0] * 3
        assert [path.name for path in artifact.parent.iterdir()] == ["model"]

    def test_a_death_between_the_renames_leaves_the_one_before(self, artifact, tmp_path):
        artifact.rename(tmp_path / PREVIOUS)
        assert artifact_folder(tmp_path) == tmp_path / PREVIOUS
        assert headway.load(tmp_path).label_names == tuple(LABELS)

    def test_what_a_death_left_is_cleared(self, artifact, tmp_path):
        (tmp_path / PREVIOUS).mkdir()
        (tmp_path / PREVIOUS / "x").write_text("old")
        better = shutil.copytree(artifact, tmp_path / "better")
        put_in_place(better, artifact)
        assert [path.name for path in tmp_path.iterdir()] == ["model"]


class TestFinding:
    def test_a_run_or_its_model_is_named(self, artifact):
        assert artifact_folder(artifact) == artifact_folder(artifact.parent) == artifact

    def test_what_is_no_run_is_told_with_the_nearest(self, artifact, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(HeadwayError, match="has no finished model"):
            artifact_folder(tmp_path / "empty")
        with pytest.raises(HeadwayError, match=r"is not a folder \(did you mean '.*model'"):
            artifact_folder(tmp_path / "modle")

    def test_the_spec_is_read_as_it_was_written(self, written):
        assert read_spec(written).columns == {"text": "body"}


def test_what_was_replaced_in_texts_is_replaced_in_prediction_too():
    examples = {"text": ["n/a", "fox"], "tokens": [["a", "n/a"], ["b"]]}
    changes = {"text": {"n/a": "nothing"}, "tokens": {"n/a": "-"}}
    changed = with_replacements(examples, changes, where="input {}".format)
    assert changed == {"text": ["nothing", "fox"], "tokens": [["a", "-"], ["b"]]}
    assert examples["text"][0] == "n/a"
    with pytest.raises(DataError, match="input 0, 'text' must not be a value that data.replace took out"):
        with_replacements(examples, {"text": {"n/a": None}}, where="input {}".format)
