"""What a resource can do without: a target that refuses it does not stop the rest.

A refused request has made nothing, so it may be sent again with fewer attributes.  Those that were
left out are journalled and reported.  What changes how a resource behaves is never optional.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from bundle_spec.model import Resource
from downpour_cloud import Json
from downpour_import.errors import AnswerLost, Refused
from downpour_import.recreate.context import Context

Without = Callable[[dict[str, Json]], dict[str, Json]]
"""The attributes of a POST -> the same without one of them."""

_GUEST = ("hw_", "img_", "trait:", "os_type", "os_secure_boot", "os_require_quiesce")


def drop(*names: str) -> Without:
    """A ``Without`` that leaves these keys out."""
    return lambda body: {key: value for key, value in body.items() if key not in names}


def optional_properties(properties: Iterable[str]) -> dict[str, Without]:
    """Of the properties of an image, those that do not decide on what hardware a guest finds
    itself, or where: without these it may not boot (Glance, "Useful image properties")."""
    return {name: drop(name) for name in properties if not name.startswith(_GUEST)}


def post(
    context: Context,
    record: Resource,
    send: Callable[[dict[str, Json]], Json],
    body: dict[str, Json],
    optional: Mapping[str, Without],
) -> Json:
    """``send`` the attributes ``body``; if the target refuses (400, 403), with fewer.

    No service tells in a form for programs which attribute it refuses.  So of those in ``optional``
    first the ones that its message names are left out, then each by itself, then all.  Raises
    Refused (the first refusal), RecreateError.
    """
    try:
        return send(body)
    except Refused as exc:
        refused = exc
    present = [name for name, without in optional.items() if without(body) != body]
    if refused.status not in (400, 403):
        raise refused
    for names in _attempts(present, refused.message):
        reduced = body
        for name in names:
            reduced = optional[name](reduced)
        left_out = sorted({*names, *(body.keys() - reduced.keys())})
        try:
            answer = send(reduced)
        except Refused:
            continue
        except AnswerLost:
            _tell(context, record, left_out, refused)  # if it was made, then without these
            raise
        _tell(context, record, left_out, refused)
        return answer
    raise refused


def _tell(context: Context, record: Resource, names: Iterable[str], refused: Refused) -> None:
    for name in names:
        context.refuse(record, name, refused.message)


def _attempts(names: Sequence[str], message: str) -> Iterator[Sequence[str]]:
    tried: list[Sequence[str]] = []
    named = [name for name in names if name in message]
    for attempt in (named, *([name] for name in names), names):
        if attempt and attempt not in tried:
            tried.append(attempt)
            yield attempt


def attempt(context: Context, record: Resource, name: str, act: Callable[[], object]) -> bool:
    """Set an optional attribute after the POST; a refusal is reported, and the result is False."""
    try:
        act()
    except Refused as exc:
        context.refuse(record, name, exc.message)
        return False
    return True
