"""The JSON schema of a manifest, made from the records, so that it cannot differ from them.

It covers rule M-1 and section 6 of SPEC.md.  The other rules need a program.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from bundle_spec.form.codec import Json
from bundle_spec.model import Manifest

_SCALARS: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Any: {},
}


def manifest_schema() -> Json:
    """The schema, draft 2020-12.  Unknown keys are allowed everywhere [M-7]."""
    definitions: dict[str, Json] = {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The manifest of a bundle, format version 1",
        **_schema(Manifest, definitions),
        "$defs": definitions,
    }


def _schema(hint: Any, definitions: dict[str, Json]) -> Json:
    if dataclasses.is_dataclass(hint):
        return _reference(typing.cast(type, hint), definitions)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        inner = next(part for part in parts if part is not type(None))
        return {"anyOf": [_schema(inner, definitions), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _schema(parts[0], definitions)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(parts[1], definitions)}
    if origin is typing.Literal:
        return {"enum": list(parts)}
    return dict(_SCALARS[hint])


def _reference(cls: type, definitions: dict[str, Json]) -> Json:
    name = cls.__name__
    if name not in definitions:
        hints = typing.get_type_hints(cls)
        fields = [field for field in dataclasses.fields(cls) if field.name != "extra"]
        definitions[name] = {
            "type": "object",
            "properties": {field.name: _schema(hints[field.name], definitions) for field in fields},
            "required": [
                field.name
                for field in fields
                if field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            ],
        }
    return {"$ref": f"#/$defs/{name}"}
