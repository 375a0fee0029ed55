"""The model card: README.md beside the weights, for people and for hubs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.delivery.artifact_spec import ArtifactSpec

TASKS = {
    "ClassTarget": ("one class a document", "text-classification"),
    "MultiTarget": ("any number of labels a document", "text-classification"),
    "ScoreTarget": ("a number a document", "text-classification"),
    "TagTarget": ("a tag a word", "token-classification"),
}
"""Name of the target's class -> what is answered, and the hub's name of the pipeline."""
MANY = 60
"""Labels that a card lists at most."""


def model_card(spec: ArtifactSpec, *, loading: str | None = None, library: str = "headway") -> str:
    """Return the text of README.md.

    Args:
        spec: Of the artifact; its `about` holds what the run knew.
        loading: Lines on how this folder is loaded; None: with headway.
        library: The hub's name of the library that loads it.
    """
    about = spec.about
    name = about.get("name") or "model"
    what, pipeline = _task(spec)
    lines = ["---", f"library_name: {library}", f"pipeline_tag: {pipeline}", "tags: [headway]", "---", ""]
    lines += [f"# {name}", "", f"Reads {_inputs(spec)}; answers {what}.", ""]
    lines += ["## Load", "", loading or _with_headway(spec), ""]
    lines += ["## Task", "", *_labels(spec), ""]
    lines += ["## Results", "", *_results(about), ""]
    lines += ["## Data", "", *_data(about), ""]
    lines += ["## Limits", "", *_limits(spec), ""]
    lines += ["## Provenance", "", *_provenance(spec)]
    return "\n".join(lines) + "\n"


def _task(spec: ArtifactSpec) -> tuple[str, str]:
    name = str(spec.target.get("_target_", "")).rpartition(".")[2]
    pipeline = "token-classification" if "tokens" in spec.columns else "text-classification"
    return TASKS.get(name, (f"as {name} says", pipeline))


def _inputs(spec: ArtifactSpec) -> str:
    read = {"text": "a text", "text_pair": "a pair of texts", "tokens": "a list of words"}
    return read[list(spec.columns)[-1]]


def _with_headway(spec: ArtifactSpec) -> str:
    given = {
        "text": '"a text"',
        "text_pair": '("a text", "another")',
        "tokens": '["a", "list", "of", "words"]',
    }[list(spec.columns)[-1]]
    needs = "pip install 'headway[onnx]'" if spec.onnx else "pip install headway"
    return (
        f'```python\n# {needs}\nimport headway\n\nmodel = headway.load("this folder")\n'
        f"model.predict([{given}])\n```"
    )


def _labels(spec: ArtifactSpec) -> Iterator[str]:
    names = spec.label_names
    if not names:
        yield "The answer is a number, as it stood in the training data."
        return
    more = f", and {len(names) - MANY} more (headway.json has all)" if len(names) > MANY else ""
    yield f"{len(names)} labels: {', '.join(f'`{name}`' for name in names[:MANY])}{more}."
    decoding = {name: value for name, value in spec.decoding.items() if name != "label_names"}
    yield ""
    yield f"Windows become documents by `{_short(spec.aggregation)}`, logits answers by `{_short(decoding)}`."


def _short(node: Mapping[str, Any]) -> str:
    name = str(node.get("_target_", "")).rpartition(".")[2]
    fields = ", ".join(f"{key}={_rounded(value)}" for key, value in node.items() if key != "_target_")
    return f"{name}({fields})"


def _rounded(value: Any) -> Any:
    if isinstance(value, list) and len(value) > 8:
        return f"[{len(value)} values]"
    return round(value, 4) if isinstance(value, float) else value


def _results(about: Mapping[str, Any]) -> Iterator[str]:
    results: Mapping[str, Mapping[str, Any]] = about.get("results", {})
    if not results:
        yield "None are known of this artifact."
        return
    splits = list(results)
    yield f"| metric | {' | '.join(splits)} |"
    yield "|---" * (len(splits) + 1) + "|"
    for metric in dict.fromkeys(name for values in results.values() for name in values):
        values = (results[split].get(metric) for split in splits)
        cells = (f"{value:.4f}" if isinstance(value, float) else "" for value in values)
        yield f"| {metric} | {' | '.join(cells)} |"
    yield ""
    chosen = about.get("monitor")
    yield f"The best epoch was chosen by validation's `{chosen}`; so was whatever was fitted."


def _data(about: Mapping[str, Any]) -> Iterator[str]:
    data = about.get("data", {})
    yield f"`{data.get('name', 'unknown')}`, whose texts are not in this folder."
    for split, facts in data.get("splits", {}).items():
        yield (
            f"- {split}: {facts['documents']} documents, {facts['tokens']} tokens; "
            f"{facts['truncated_documents']} documents truncated, {facts['tokens_lost']} tokens lost"
        )


def _limits(spec: ArtifactSpec) -> Iterator[str]:
    encoding = spec.encoding
    cut = (
        f"longer documents are cut into windows that share {encoding.get('overlap')} tokens"
        if encoding.get("truncation") == "windows"
        else f"what is longer is cut off ({encoding.get('truncation')})"
    )
    yield f"- It sees {encoding.get('max_length')} tokens at once; {cut}."
    yield "- It knows the labels above and no others, and answers with one of them whatever it is given."
    yield "- It was scored on the data above alone: score it anew on texts of another kind, time or language."
    yield "- Nobody has looked for bias in its answers."


def _provenance(spec: ArtifactSpec) -> Iterator[str]:
    facts = spec.about.get("provenance", {})
    yield f"- headway {spec.headway}"
    for name, value in facts.items():
        if value is not None:
            yield f"- {name.replace('_', ' ')}: `{value}`"


def without_folders(value: Any) -> Any:
    """Return a name without the folders that lead to it, where it is a path of one machine.

    Args:
        value: Such as the name of a backbone or of a file.
    """
    if not isinstance(value, str) or not value.startswith(("/", ".", "~")):
        return value
    return PurePath(value).name
