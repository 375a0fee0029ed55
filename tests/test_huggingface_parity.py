"""From text to the first training loss, headway computes what transformers does with the same weights.

tests/models/test_heads.py compares heads on random tokens; here the texts go through files, encoding,
batching, the FineTuner and Lightning's loop on one side, and through the tokenizer's and the model's own
calls on the other.
"""

from __future__ import annotations

import json

import pytest
import pytorch_lightning as pl
import torch
from torch.testing import assert_close
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification

from headway.assembly import build_backbone, build_data, build_module, encode_data

pytestmark = pytest.mark.slow

MAX_LENGTH = 12
CLASSES = ("earn", "grain", "ship")
TAGS = ("O", "B-NAME", "I-NAME")
SENTENCES = (
    "The quick brown fox jumps over the lazy dog while the farmer sleeps .",
    "Peter Blackburn reported from Brussels .",
    "unbelievably unbelievable",
    "In 1996 , Germany beat the Czech Republic in the final of the European championship .",
    "Shares fell",
    "She's reading The Old Man again ; it is n't her favourite .",
    "goalkeeper",
)
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


@pytest.fixture
def no_dropout_bert(tiny_bert, wordpiece_tokenizer, tmp_path):
    model = AutoModel.from_pretrained(tiny_bert, **NO_DROPOUT)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for parameter in model.parameters():  # far enough from the start for tokens to matter to one another
            parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(tmp_path / "bert")
    wordpiece_tokenizer.save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


class FirstLoss(pl.Callback):
    """Keeps what the optimizer's first step starts from."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.value = outputs["loss"].detach()


@pytest.fixture
def trained(no_dropout_bert, compose_config, tmp_path):
    """(rows, *overrides) -> the module before its first step, the batch of all rows, and the step's loss."""

    def first_step(rows, *overrides):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        cfg = compose_config(
            "backbone=local", f"backbone.name={no_dropout_bert}", "data=files", f"data.train={path}",
            f"data.validation={path}", f"data.max_length={MAX_LENGTH}", "task.head.dropout=0",
            "batching.batch_size=100", "trainer.max_steps=1", f"cache_dir={tmp_path / 'cache'}", *overrides,
        )  # fmt: skip
        data, backbone = build_data(cfg), build_backbone(cfg)
        data.read()
        encode_data(data, backbone, backbone.load_tokenizer())
        module, loaders, _ = build_module(cfg, data, backbone)
        assert module.encoder.layout == cfg["backbone"]["layout"]
        (batch,) = list(loaders.train_dataloader())
        with torch.no_grad():
            logits = module.eval()(batch)
        classifier = {name: value.clone() for name, value in module.head.classifier.state_dict().items()}
        loss = FirstLoss()
        pl.Trainer(
            max_steps=1, accelerator="cpu", logger=False, callbacks=[loss], limit_val_batches=0,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            use_distributed_sampler=False, default_root_dir=tmp_path,
        ).fit(module.train(), datamodule=loaders)  # fmt: skip
        return classifier, batch, logits, loss.value, data.label_names

    return first_step


def reference_of(kind, folder, classifier, num_labels):
    model = kind.from_pretrained(folder, num_labels=num_labels, **NO_DROPOUT)
    model.classifier.load_state_dict(classifier)
    return model.eval()


@pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*LeafSpec.*")
@pytest.mark.filterwarnings("ignore:.*smaller than the logging interval.*")
@pytest.mark.parametrize("layout", ["packed", "padded"])
@pytest.mark.parametrize("pair", [False, True])
def test_classification(layout, pair, trained, no_dropout_bert, wordpiece_tokenizer):
    labels = [CLASSES[number % 3] for number in range(len(SENTENCES))]
    others = SENTENCES[::-1]
    rows = [
        {"text": text, "other": other, "label": label}
        for text, other, label in zip(SENTENCES, others, labels, strict=True)
    ]
    classifier, batch, logits, loss, names = trained(
        rows, "data.label=label", "task.head.pooling=pooler", f"backbone.layout={layout}",
        f"data.text_pair={'other' if pair else 'null'}",
    )  # fmt: skip
    reference = reference_of(AutoModelForSequenceClassification, no_dropout_bert, classifier, 3)
    inputs = wordpiece_tokenizer(
        list(SENTENCES), list(others) if pair else None, truncation=True, max_length=MAX_LENGTH, padding=True,
        return_tensors="pt", return_token_type_ids=True,
    )  # fmt: skip
    with torch.no_grad():
        expected = reference(**inputs, labels=torch.tensor([names.index(label) for label in labels]))
    assert expected.logits.std() > 0.01
    assert_close(logits, expected.logits[batch.documents], atol=1e-5, rtol=0)
    assert_close(loss, expected.loss, atol=1e-5, rtol=0)


def words_and_tags():
    for sentence in SENTENCES:
        words = sentence.split()
        named = [word[0].isupper() for word in words]
        tags = [
            "O" if not name else "I-NAME" if number and named[number - 1] else "B-NAME"
            for number, name in enumerate(named)
        ]
        yield {"words": words, "tags": tags}


@pytest.mark.filterwarnings("ignore:.*does not have many workers.*", "ignore:.*LeafSpec.*")
@pytest.mark.filterwarnings("ignore:.*smaller than the logging interval.*")
@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_tagging(layout, trained, no_dropout_bert, wordpiece_tokenizer):
    rows = list(words_and_tags())
    classifier, batch, logits, loss, names = trained(
        rows, "task=entities", "data.text=null", "data.tokens=words", "data.tags=tags", "data.scheme=IOB2",
        f"backbone.layout={layout}",
    )  # fmt: skip
    assert set(names) == set(TAGS)
    reference = reference_of(AutoModelForTokenClassification, no_dropout_bert, classifier, 3)
    inputs = wordpiece_tokenizer(
        [row["words"] for row in rows], is_split_into_words=True, truncation=True, max_length=MAX_LENGTH,
        padding=True, return_tensors="pt",
    )  # fmt: skip
    # The first piece of a word has its tag, as in transformers' own examples.
    labels = torch.full(inputs["input_ids"].shape, -100)
    for number, row in enumerate(rows):
        words = inputs.word_ids(number)
        for position, word in enumerate(words):
            if word is not None and word != words[position - 1]:
                labels[number, position] = names.index(row["tags"][word])
    with torch.no_grad():
        expected = reference(**inputs, labels=labels)
    flat = torch.cat(
        [
            expected.logits[document, :length]
            for document, length in zip(batch.documents, batch.lengths, strict=True)
        ]
    )
    assert flat.std() > 0.01
    assert_close(logits, flat, atol=1e-5, rtol=0)
    assert_close(loss, expected.loss, atol=1e-5, rtol=0)
