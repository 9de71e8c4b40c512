"""How a resource is recreated: at most once, and the same way for every type.

Before each POST the journal records the intent, after it the result.  The POST itself carries the
marker, so that after a crash in between the next run finds what was made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from bundle_spec.model import Ref, Resource, Tagged
from downpour_cloud import Json, Service
from downpour_import.errors import RecreateError, Refused
from downpour_import.playbook import events
from downpour_import.recreate.context import Context, wait_for
from downpour_import.recreate.optional import Without, post

R = TypeVar("R", bound=Resource)
T = TypeVar("T", bound=Tagged)

State = Literal["made", "found", "reused", "unchanged", "mapped", "planned", "failed", "not_made"]


@dataclass(frozen=True)
class Outcome:
    """``state``: what this call did.  ``target``: the ID there; None for what is only planned.

    ``found``: this bundle had made it; the journal did not know that, the marker told it.
    ``reused``: somebody else made it, and it is equal to the record.  ``failed``, ``not_made``: see
    ``isolation``; ``message`` tells why, once for each resource.
    """

    state: State
    target: str | None
    message: str = ""

    @property
    def changed(self) -> bool:
        return self.state in ("made", "found", "reused", "planned")

    @property
    def verb(self) -> str:
        """``state`` of a resource that was not made, in a sentence."""
        return "failed" if self.state == "failed" else "was not made"


class Recreator(ABC, Generic[R]):
    """How one resource type is made, found again by its marker, and read back.

    ``path`` and ``key``: where the API keeps such objects, and the key of one in an answer.
    """

    service: ClassVar[Service]
    path: ClassVar[str]
    key: ClassVar[str | None]
    owner_key: ClassVar[str] = "project_id"
    """The attribute that tells the project to which an object belongs."""
    can_be_marked: ClassVar[bool] = True
    """Whether an object of this type can bear a marker; else only its natural key tells."""

    @abstractmethod
    def make(self, context: Context, record: R) -> str:
        """Send the POST, with the marker in it, and return the new ID."""

    def made_by_bundle(self, context: Context, record: R, item: Json) -> bool:
        """Whether ``item`` is what this bundle made of ``record``.

        An object that cannot bear a marker counts as made by it while it equals the record.
        """
        return not self.differences(context, record, item)

    def display_name(self, record: R, item: Json) -> str:
        """What people on the target know it by."""
        return record.name

    def unmark(self, context: Context, record: R, target: str, item: Json) -> None:
        """Take the marker off the object; types without a marker have nothing to do."""

    def release(self, context: Context, target: str, item: Json) -> None:
        """Undo what keeps the target from deleting the object, such as a lock."""

    def dismantle(self, context: Context, target: str, item: Json) -> None:
        """Delete the object and wait until it is gone.  Raises RecreateError, also when in use."""
        self.release(context, target, item)
        if not context.cloud.delete(self.service, self.path_of(target)):
            raise RecreateError("the target says that it is in use")
        what = f"{self.path} {target}"
        wait_for(lambda: self.fetch(context, target), _gone, what, failed=_undeletable)

    def path_of(self, target: str) -> str:
        """The API path of one object."""
        return f"{self.path}/{target}"

    def ours(self, context: Context, items: Iterable[Json]) -> Iterator[Json]:
        """Those of ``items`` that are of this project, as far as the service tells: to a token with
        more rights than a tenant's, lists and lookups give those of other projects too."""
        for item in items:
            if item.get(self.owner_key) in (None, context.cloud.project_id):
                yield item

    @abstractmethod
    def marks(self, context: Context) -> Iterator[tuple[str | None, str]]:
        """(text that may be a marker, ID), for every object of this type in the project."""

    def find(self, context: Context, record: R) -> str | None:
        """The ID of what an earlier POST of this bundle made, by its marker.

        One list call serves all records of a type: whatever is made later is in the journal.
        """
        if self.path not in context.marked:
            context.marked[self.path] = {mark: uuid for mark, uuid in self.marks(context) if mark}
        return context.marked[self.path].get(context.marker(record.ref))

    def complete(self, context: Context, record: R, target: str) -> None:
        """Everything after the POST; may run again after a crash."""

    @abstractmethod
    def differences(self, context: Context, record: R, item: Json) -> list[str]:
        """Where ``item``, read back from the target, is not what the record says."""

    def reusable(self, context: Context, record: R) -> str | None:
        """The ID of an equal object that somebody else made and that serves as well."""
        return None

    def broken(self, item: Json) -> bool:
        """Whether what was made is beyond use, so that it is made again."""
        return False

    def fetch(self, context: Context, target: str) -> Json | None:
        """The object as the target has it; None if it is gone, or of another project."""
        answer = context.cloud.get_or_none(self.service, self.path_of(target))
        item = answer if answer is None or self.key is None else answer[self.key]
        return next(self.ours(context, [] if item is None else [item]), None)

    def remove(self, context: Context, target: str) -> None:
        """Delete a broken object, so that it can be made again.  Raises RecreateError."""
        if not context.cloud.delete(self.service, self.path_of(target)):
            raise RecreateError("it is broken, and the target does not delete it", where=target)


def recreate(
    recreator: Recreator[R], context: Context, record: R, *, check: bool = False
) -> Outcome:
    """Make ``record`` true on the target, or with ``check`` say how.  Raises RecreateError."""
    ref, journal = record.ref, context.journal
    if ref in context.targets:
        mapped = context.targets[ref]
        if mapped is not None and journal.target(ref) != mapped and not check:
            journal.reuse(ref, record.name, mapped)
        return Outcome("mapped", mapped)
    journalled = journal.target(ref)
    target = standing(recreator, context, record, check=check)
    entry = journal.entry(ref)
    if target is not None and entry is not None and entry.event == "done":
        return Outcome("unchanged", target)
    if check and target is not None:
        return Outcome("found", target)
    if check:
        equal = recreator.reusable(context, record)
        return Outcome("reused" if equal else "planned", equal)
    state: State = "made" if target is None or journalled else "found"
    if target is None:
        target = recreator.reusable(context, record)
        if target is not None:
            state = "reused"
        else:
            journal.record("intent", ref, record.name)
            target = recreator.make(context, record)
        journal.record("reused" if state == "reused" else "made", ref, record.name, target)
    elif entry is not None and entry.event == "reused":
        # A kill came between "reused" and "done": the object is not ours to complete.
        state = "reused"
    if state != "reused":
        recreator.complete(context, record, target)
    journal.record("done", ref, record.name)
    return Outcome(state, target)


def standing(
    recreator: Recreator[R], context: Context, record: R, *, check: bool = False
) -> str | None:
    """The ID of what this bundle made of ``record``, by the journal or the marker; None if gone.

    A natural key proves nothing without a journalled intent.  Unless ``check``, what is gone or
    broken is journalled as gone (and deleted if broken), so that it is made again."""
    ref, journal = record.ref, context.journal
    entry = journal.entry(ref)
    target = journal.target(ref)
    if target is None and (recreator.can_be_marked or (entry and entry.event == "intent")):
        target = recreator.find(context, record)
        if target is not None and not check:
            journal.record("made", ref, record.name, target)
    if target is None:
        return None
    item = recreator.fetch(context, target)
    done = entry is not None and entry.event == "done"
    if item is not None and (done or not recreator.broken(item)):
        return target
    if not check:
        if item is not None:
            what = f"{record.type.replace('_', ' ')} {record.name!r}"
            events.emit("note", message=f"{what} is broken, {target}: it is deleted and made again")
            recreator.remove(context, target)
        journal.record("gone", ref, record.name, target)
    return None


class NetworkRecreator(Recreator[T]):
    """A type of Neutron: the marker is first in the description, then in a tag.

    Neutron refuses ``tags`` in a POST.  So the POST carries the marker as the description; then a
    tag takes the marker over, and then the record's description is written.
    """

    service = "network"
    collection: ClassVar[str]
    """The key of a list answer: ``networks``."""
    optional: ClassVar[Mapping[str, Without]] = {}
    """What a resource of this type can do without."""

    @abstractmethod
    def body(self, context: Context, record: T) -> dict[str, Json]:
        """The attributes of the POST but for the description; references resolved."""

    def make(self, context: Context, record: T) -> str:
        def send(body: dict[str, Json]) -> Json:
            return context.cloud.post("network", self.path, {self.key: body})

        body = {**self.body(context, record), "description": context.marker(record.ref)}
        answer = post(context, record, send, body, self.optional)
        identity: str = answer[self.key]["id"]
        return identity

    def all(self, context: Context) -> Iterator[Json]:
        """Every object of this type in the project, each as ``fetch`` gives it."""
        query = {"project_id": context.cloud.project_id}
        items = context.cloud.list("network", self.path, self.collection, query)
        return self.ours(context, items)

    def marks(self, context: Context) -> Iterator[tuple[str | None, str]]:
        for item in self.all(context):
            for text in (item.get("description"), *item.get("tags", ())):
                yield text, item["id"]

    def complete(self, context: Context, record: T, target: str) -> None:
        self._tag(context, record, target)
        context.cloud.put(
            "network",
            f"{self.path}/{target}",
            {self.key: {"description": record.description, **self.update(context, record)}},
        )

    def _tag(self, context: Context, record: T, target: str) -> None:
        """Set the record's tags and the marker; if the target refuses them, the marker alone."""

        def tag(*tags: str) -> None:
            context.cloud.put("network", f"{self.path}/{target}/tags", {"tags": tags})

        marker = context.marker(record.ref)
        try:
            tag(*record.tags, marker)
        except Refused as exc:
            tag(marker)
            context.refuse(record, "tags", exc.message)

    def made_by_bundle(self, context: Context, record: T, item: Json) -> bool:
        marker = context.marker(record.ref)
        return marker in (item.get("description"), *item.get("tags", ()))

    def unmark(self, context: Context, record: T, target: str, item: Json) -> None:
        marker = context.marker(record.ref)
        tags = [tag for tag in item.get("tags", ()) if tag != marker]
        context.cloud.put("network", f"{self.path_of(target)}/tags", {"tags": tags})
        if item.get("description") == marker:
            body = {self.key: {"description": record.description}}
            context.cloud.put("network", self.path_of(target), body)

    def update(self, context: Context, record: T) -> dict[str, Json]:
        """Attributes that can only be set after the POST."""
        return {}

    def differences(self, context: Context, record: T, item: Json) -> list[str]:
        wanted = {
            **self.body(context, record),
            **self.update(context, record),
            "description": record.description,
        }
        tags = sorted(tag for tag in item["tags"] if tag != context.marker(record.ref))
        refused = context.journal.refused(record.ref)
        return [
            *compare(wanted, item, refused),
            *compare({"tags": list(record.tags)}, {"tags": tags}, refused),
        ]


def unset(context: Context, service: Service, path: str) -> None:
    """DELETE one key of an object.  Raises RecreateError, also when the target refuses now."""
    if not context.cloud.delete(service, path):
        raise RecreateError("the target does not let go of it now", where=path)


def _gone(item: Json) -> bool:
    return item is None


def _undeletable(item: Json) -> str | None:
    status = str(item.get("status", "")) if item else ""
    return f"it is {status}" if status == "error_deleting" else None


def qos_policy(context: Context, policy_id: str | None) -> str | None:
    """The target's policy; None where there is none, or the mapping says to do without."""
    return context.optional_target(Ref("qos_policy", policy_id)) if policy_id else None


def compare(
    wanted: Mapping[str, Json], actual: Mapping[str, Json], refused: Container[str] = ()
) -> list[str]:
    """One line for each attribute of ``wanted`` whose value is another one in ``actual``.

    ``refused``: attributes to pass over: the target did not take them, and the user was told.
    """
    return [
        f"{name} is {actual.get(name)!r}, not {value!r}"
        for name, value in wanted.items()
        if name not in refused and without_order(actual.get(name)) != without_order(value)
    ]


def without_order(value: Json) -> Json:
    """``value`` with its lists sorted: the APIs give lists in any order."""
    if isinstance(value, list):
        return sorted((without_order(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {key: without_order(item) for key, item in sorted(value.items())}
    return value


def is_pending(context: Context, ref: Ref) -> bool:
    """Whether a step without an object of its own (DHCP of a subnet) is still to be done."""
    entry = context.journal.entry(ref)
    return entry is None or entry.event != "done"


def failure(message: str, record: Resource) -> RecreateError:
    return RecreateError(message, where=f"{record.ref} {record.name!r}")
