"""What of the API no schema describes by itself: exchanges, enrolment, packs, media. Joined into the OpenAPI document.

Bodies of sync are bytes with their own specification; here stand paths, headers and statuses.
"""

from __future__ import annotations

from typing import Any

_HASH = {"name": "sha256", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
_TUS = {"name": "Tus-Resumable", "in": "header", "required": True, "schema": {"type": "string", "enum": ["1.0.0"]}}
_ERROR = {"application/json": {"schema": {
    "type": "object", "required": ["code", "message", "id"],
    "properties": {name: {"type": "string"} for name in ("code", "message", "id")},
}}}  # fmt: skip
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_KEY = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _header(name: str, required: bool = True, type_: str = "string") -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": type_}}


def _answers(good: dict[str, str], *errors: str) -> dict[str, Any]:
    wrong = {status: {"description": "refused", "content": _ERROR} for status in errors}
    return {status: {"description": words} for status, words in good.items()} | wrong


def described() -> dict[str, Any]:
    """The paths and the two ways to say who asks, as parts of an OpenAPI document."""
    return {
        "components": {"securitySchemes": _SCHEMES},
        "paths": {**_exchange_paths(), **_media_paths(), **_watching_paths()},
    }


_SCHEMES = {
    "tablet": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-qorgan"},
}


def _watching_paths() -> dict[str, Any]:
    health = {
        "summary": "Whether the office is well; says no content",
        "responses": {
            status: {"description": words, "content": {"application/json": {"schema": {
                "type": "object", "required": ["well"], "properties": {"well": {"type": "boolean"}},
            }}}}
            for status, words in (("200", "it can do its work"), ("503", "somebody is needed"))
        },
    }  # fmt: skip
    metrics = {
        "summary": "Numbers of the office as OpenMetrics text, for who shows the token of the setting",
        "parameters": [_header("Authorization", False)],
        "responses": {
            "200": {"description": "the numbers", "content": {"application/openmetrics-text": {}}}
        } | _answers({}, "404"),
    }  # fmt: skip
    return {"/api/health": {"get": health}, "/api/metrics": {"get": metrics}}


def _exchange_paths() -> dict[str, Any]:
    sync = {
        "summary": "One exchange of a tablet: frames in, receipt and frames out",
        "parameters": [_header("Qorgan-Signature"), _header("Content-Encoding", False)],
        "requestBody": {"required": True, "content": {"application/x-qorgan-sync": _BYTES}},
        "responses": _answers({"200": "receipt, its signature, page header, frames"}, "401", "413", "422", "429"),
    }
    body = {
        "type": "object", "additionalProperties": False, "required": ["code", "sign_key", "box_key", "label"],
        "properties": {
            "code": {"type": "string", "minLength": 13, "maxLength": 24}, "sign_key": _KEY, "box_key": _KEY,
            "label": {"type": "string", "minLength": 1, "maxLength": 80}, "device": {"type": "string", "maxLength": 36},
        },
    }  # fmt: skip
    enrol = {
        "summary": "A tablet shows its one-time code and its keys",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": _answers({"201": "whose tablet it is, and the keys of the office"}, "410", "422", "429"),
    }
    pack = {
        "summary": "A pack by the hash of its bytes",
        "security": [{"tablet": []}],
        "parameters": [_HASH, _header("Range", False)],
        "responses": _answers(_PARTS, "401", "404"),
    }
    return {
        "/api/sync": {"post": sync},
        "/api/devices/enrol": {"post": enrol},
        "/api/packs/{sha256}": {"get": pack},
    }


_PARTS = {"200": "the bytes", "206": "a part", "304": "not changed", "416": "no such part"}
_OTHER = {"412": "another tus version"}


def _media_paths() -> dict[str, Any]:
    secure = {"security": [{"tablet": []}]}
    create = {
        **secure, "summary": "Announces a file (tus creation)",
        "parameters": [_TUS, _header("Upload-Length", type_="integer"), _header("Upload-Metadata")],
        "responses": _answers({"201": "announced", **_OTHER, "507": "no room"}, "400", "401", "404", "413", "460"),
    }  # fmt: skip
    head = {
        **secure, "summary": "How many bytes are here", "parameters": [_HASH, _TUS],
        "responses": _answers({"200": "Upload-Offset, Upload-Length", **_OTHER}, "401", "404"),
    }  # fmt: skip
    taken = {"204": "taken", "409": "another offset", **_OTHER, "415": "another type", "460": "changed on its way",
             "507": "no room"}  # fmt: skip
    patch = {
        **secure, "summary": "The next piece, at most 8 MiB",
        "parameters": [_HASH, _TUS, _header("Upload-Offset", type_="integer"), _header("Upload-Checksum", False)],
        "requestBody": {"required": True, "content": {"application/offset+octet-stream": _BYTES}},
        "responses": _answers(taken, "400", "401", "404", "413"),
    }  # fmt: skip
    end = {
        **secure, "summary": "Ends an upload; refused for evidence", "parameters": [_HASH, _TUS],
        "responses": _answers({"204": "ended", **_OTHER}, "401", "403", "404"),
    }  # fmt: skip
    get = {
        **secure, "summary": "The whole ciphertext", "parameters": [_HASH, _header("Range", False)],
        "responses": _answers(_PARTS, "401", "404"),
    }  # fmt: skip
    return {
        "/api/media": {"post": create},
        "/api/media/{sha256}": {"head": head, "patch": patch, "delete": end, "get": get},
    }
