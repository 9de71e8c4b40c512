"""The JSON schema of a manifest, made from the records, so that it cannot differ from them.

It covers rule M-1 and section 6 of SPEC.md, and has what each key means, where a program asks or a
person.  The other rules need a program.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from bundle_spec.form import codec, descriptions
from bundle_spec.form.codec import Json
from bundle_spec.model import Manifest
from bundle_spec.model.forms import Form

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
    if origin is typing.Annotated:
        return _schema(parts[0], definitions) | _keywords(parts[1])
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
        fields = [field for field in dataclasses.fields(cls) if field.name != "extra"]
        definitions[name] = {
            "description": descriptions.of_record(cls),
            "type": "object",
            "properties": _properties(cls, fields, definitions),
            "required": [field.name for field in fields if _is_required(field)],
        }
    return {"$ref": f"#/$defs/{name}"}


def _properties(
    cls: type, fields: Sequence[dataclasses.Field[Any]], definitions: dict[str, Json]
) -> Json:
    hints = typing.get_type_hints(cls, include_extras=True)
    meanings = descriptions.of_fields(cls)
    return {
        field.name: {
            "description": meanings[field.name],
            **_schema(hints[field.name], definitions),
            **({} if _is_required(field) else {"default": _default(field)}),
        }
        for field in fields
    }


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Json:
    """What an absent key stands for.  Of a record the empty object: its keys have defaults."""
    if field.default_factory is not dataclasses.MISSING:
        return {}
    return codec.encode(field.default)


def _keywords(form: Form) -> Json:
    """The keywords of a form.  ``unit`` is our own, for people."""
    formats = [{"format": name} for name in form.format]
    found = {
        "unit": form.unit,
        "minimum": form.minimum,
        "anyOf": formats if len(formats) > 1 else None,
        "format": form.format[0] if len(formats) == 1 else None,
        "pattern": form.pattern,
        "contentEncoding": form.encoding,
    }
    return {key: value for key, value in found.items() if value is not None}
