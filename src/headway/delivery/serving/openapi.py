"""What a server takes and gives, as OpenAPI describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headway.delivery.serving.requests import MANY, WITH_PROBABILITIES

if TYPE_CHECKING:
    from headway.delivery.serving.limits import ServeLimits

ERRORS = {
    400: "The body is not UTF-8 or not JSON.",
    408: "The body did not come in time.",
    413: "The body, a list or a text is too large.",
    415: "The content type is not application/json.",
    422: "A field is wrong; `error.field` names it.",
    503: "No room in the queue, or the server stops; try again after Retry-After seconds.",
}
_COLUMNS = {
    "text": "A text.",
    "text_pair": "The second text.",
    "tokens": "A text that is split at blanks, or a list of words.",
}
_STRING, _NUMBER = {"type": "string"}, {"type": "number"}
_STRINGS = {"type": "array", "items": _STRING}


def openapi(
    *,
    name: str,
    version: str,
    role: str,
    columns: Sequence[str],
    label_names: Sequence[str],
    spans: bool,
    limits: ServeLimits,
) -> dict[str, Any]:
    """Return the OpenAPI document of a server.

    Args:
        name: Of the model.
        version: Of headway.
        role: What the task learns from: label, labels, score or tags.
        columns: The canonical columns that the model reads.
        label_names: The labels in order; empty for scores.
        spans: Whether tags name spans.
        limits: Of requests.
    """
    schemas = {
        "Input": _input(columns, limits),
        "Answer": _answer(role, label_names, spans=spans),
        "Error": _object({"error": _object({"field": _STRING, "message": _STRING})}),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"headway: {name}",
            "version": version,
            "description": f"At most {limits.max_bytes} bytes a request, {limits.queue} texts waiting.",
        },
        "paths": {
            "/predict": {"post": _predict(columns, limits)},
            "/model": {"get": _plain("What is served: its name, kind, columns and labels.")},
            "/health": {"get": _plain("The process lives.")},
            "/ready": {
                "get": _plain("Requests are taken.", {"503": "The server stops or a thread has died."})
            },
            "/metrics": {"get": _metrics()},
        },
        "components": {"schemas": schemas},
    }


def _object(fields: dict[str, Any], *, needed: Sequence[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields if needed is None else needed),
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _cells(columns: Sequence[str], limits: ServeLimits) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": limits.max_characters}
    words = {"type": "array", "items": _STRING, "minItems": 1}
    return {
        name: {"description": _COLUMNS[name], **({"anyOf": [text, words]} if name == "tokens" else text)}
        for name in columns
    }


def _input(columns: Sequence[str], limits: ServeLimits) -> dict[str, Any]:
    return _object(_cells(columns, limits))


def _answer(role: str, label_names: Sequence[str], *, spans: bool) -> dict[str, Any]:
    label = {"type": "string", "enum": list(label_names)}
    chance = {"type": "number", "minimum": 0, "maximum": 1}
    chances = _object(dict.fromkeys(label_names, chance))
    if role == "label":
        return _object({"prediction": label, "probabilities": chances}, needed=["prediction"])
    if role == "labels":
        many = {"type": "array", "items": label}
        return _object({"prediction": many, "probabilities": chances}, needed=["prediction"])
    if role == "score":
        return _object({"prediction": _NUMBER})
    tag = {"anyOf": [label, {"type": "null"}]}
    fields: dict[str, Any] = {
        "prediction": {"type": "array", "items": tag, "description": "A tag a word; null: it was cut off."},
        "tokens": _STRINGS,
        "probabilities": {"type": "array", "items": chance, "description": "Of each word's tag."},
    }
    needed = ["prediction", "tokens"]
    if spans:
        fields["spans"] = {"type": "array", "items": _span()}
        needed.append("spans")
    return _object(fields, needed=needed)


def _span() -> dict[str, Any]:
    place = {"type": "integer", "minimum": 0}
    where = dict.fromkeys(("start", "end", "start_word", "end_word"), place)
    fields = {"label": _STRING, "text": _STRING, **where, "probability": _NUMBER}
    named = _object(fields, needed=["label", "text", *where])
    return {**named, "description": "start and end count Unicode code points of the text; ends are excluded."}


def _predict(columns: Sequence[str], limits: ServeLimits) -> dict[str, Any]:
    flag = {WITH_PROBABILITIES: {"type": "boolean", "default": True}}
    item: dict[str, Any] = _ref("Input")
    if len(columns) == 1:
        item = {"anyOf": [item, _cells(columns, limits)[columns[0]]]}
    listed = {"type": "array", "items": item, "minItems": 1, "maxItems": limits.max_texts}
    single = _object({**_cells(columns, limits), **flag}, needed=columns)
    many = _object({MANY: listed, **flag}, needed=[MANY])
    answers = _object({"answers": {"type": "array", "items": _ref("Answer")}})
    example = {name: ["one", "two"] if name == "tokens" else "a text" for name in columns}
    return {
        "summary": "Answer one input, or several in order.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"oneOf": [single, many]}, "example": example}},
        },
        "responses": {
            "200": _json(
                "An answer, or `answers` in the order of `inputs`.", {"oneOf": [_ref("Answer"), answers]}
            ),
            **{str(status): _json(text, _ref("Error")) for status, text in ERRORS.items()},
        },
    }


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _plain(summary: str, more: dict[str, str] | None = None) -> dict[str, Any]:
    responses = {"200": summary, **(more or {})}
    return {
        "summary": summary,
        "responses": {status: _json(text, {"type": "object"}) for status, text in responses.items()},
    }


def _metrics() -> dict[str, Any]:
    text = {"text/plain": {"schema": _STRING}}
    return {
        "summary": "Prometheus metrics.",
        "responses": {"200": {"description": "Metrics.", "content": text}},
    }
