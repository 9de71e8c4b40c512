"""The bytes of a manifest: written as canonical JSON, and read only where they are canonical."""

from __future__ import annotations

import re
from itertools import islice

from bundle_spec.codes import Code
from bundle_spec.errors import MAX_FAULTS, BundleError, BundleFaults, UnsupportedBundle
from bundle_spec.form import canonical, codec, layout
from bundle_spec.form.codec import Json
from bundle_spec.form.manifest_check import manifest_faults
from bundle_spec.model import Manifest
from bundle_spec.text import outline, shortened

_VERSION = re.compile(rb'\n "version": \[\n  ([0-9]{1,16})[,\n]')
"""The lines of the version that every major version keeps [M-5]."""
KNOWN_FEATURES = frozenset({layout.DIFFERENCES})
"""Words of ``requires`` that this reader understands [M-6]."""

_MAX_NAMED = 10
"""So many unknown words are named in an error."""


def format_manifest(manifest: Manifest) -> bytes:
    """The bytes of ``manifest.json``.  Raises BundleError where it is too large, or not JSON."""
    try:
        data = codec.dumps(codec.encode(manifest))
    except (TypeError, ValueError) as exc:
        raise BundleError(f"cannot be written: {exc}", where=layout.MANIFEST_NAME) from exc
    if len(data) > layout.MAX_MANIFEST_SIZE:
        raise BundleError(
            f"{len(data)} bytes are more than {layout.MAX_MANIFEST_SIZE}",
            where=layout.MANIFEST_NAME,
            remedy="make two bundles",
            code=Code.LIMIT,
        )
    return data


def parse_manifest(data: bytes, where: str) -> Manifest:
    """The manifest in ``data``, checked by the rules M-1 to M-13, M-21 and M-22.

    Raises UnsupportedBundle for another major version or an unknown feature; BundleError or
    BundleFaults, with every fault up to MAX_FAULTS, for anything else.
    """
    _refuse_other_major(data, where)
    _check_lines(data, where)
    value = codec.loads(data, where)
    try:
        whole = canonical.is_form_of(data, value)
    except UnicodeEncodeError as exc:
        message = "a text holds half of a surrogate pair"
        raise BundleError(message, where=where, code=Code.JSON) from exc
    if not whole:
        raise BundleError("not canonical JSON", where=where, code=Code.NOT_CANONICAL)
    _check_head(value, where)
    manifest = codec.decode(Manifest, value, layout.MANIFEST_NAME)
    faults = list(islice(manifest_faults(manifest), MAX_FAULTS))
    if faults:
        raise BundleFaults("the manifest breaks the rules of the format", faults)
    return manifest


def _check_lines(data: bytes, where: str) -> None:
    """Bound what parsing takes, before it begins [F-17].  Raises BundleError."""
    limit = layout.MAX_MANIFEST_LINES
    if (lines := data.count(b"\n")) > limit:
        message = f"{lines} lines are more than {limit}"
        raise BundleError(message, where=where, code=Code.LIMIT)
    if canonical.has_more_signs(data, 2 * limit):
        message = f"more values than {limit} lines of canonical JSON have"
        raise BundleError(message, where=where, code=Code.LIMIT)


def _refuse_other_major(data: bytes, where: str) -> None:
    """Raise UnsupportedBundle for another major version, whatever else is in the manifest."""
    match = _VERSION.search(data)
    if match and int(match[1]) != layout.MAJOR:
        raise UnsupportedBundle(
            f"the manifest is of format version {int(match[1])}; this reader knows {layout.MAJOR}",
            where=where,
            remedy="use a newer downpour",
            code=Code.UNKNOWN_VERSION,
        )


def _check_head(value: Json, where: str) -> None:
    """``format``, ``version`` and ``requires``, before a key is expected to be there."""
    if not isinstance(value, dict) or value.get("format") != "dpbundle":
        raise BundleError("not the manifest of a bundle", where=where, code=Code.FORM)
    if "version" in value and not _is_version(value["version"]):
        raise BundleError(
            "the version is not [major, minor]", where=f"{where}.version", code=Code.VERSION_FORM
        )
    features = value.get("requires", [])
    if isinstance(features, list):
        words = {word if isinstance(word, str) else outline(word) for word in features}
        unknown = sorted(words - KNOWN_FEATURES)
        if unknown:
            some = ", ".join(map(shortened, unknown[:_MAX_NAMED]))
            more = f" and {len(unknown) - _MAX_NAMED} more" if len(unknown) > _MAX_NAMED else ""
            raise UnsupportedBundle(
                f"the bundle needs what this reader does not know: {some}{more}",
                where=where,
                remedy="use a newer downpour",
                code=Code.UNKNOWN_FEATURE,
            )


def _is_version(value: Json) -> bool:
    """Whether it is [1, minor]: a manifest of another major version has been refused."""
    match value:
        # true and false are integers in Python.
        case [int(major), int(minor)] if bool not in (type(major), type(minor)):
            return major == layout.MAJOR and minor >= 0
    return False
