"""How a resource is recreated: at most once, and the same way for every type.

Before each POST the journal records the intent, after it the result.  The POST itself carries the
marker, so that after a crash in between the next run finds what was made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from bundle_spec.model import Ref, Resource, Tagged
from downpour_cloud import Json, Service
from downpour_import.errors import RecreateError, Refused
from downpour_import.recreate.context import Context
from downpour_import.recreate.optional import Without, post
from downpour_import.recreate.patience import wait_for

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

    def used(self, context: Context, item: Json) -> bool:
        """Whether something needs the object, as far as the target tells: it is not deleted where
        nobody asked for it."""
        return False

    def release(self, context: Context, target: str, item: Json) -> None:
        """Undo what keeps the target from deleting the object, such as a lock."""

    def dismantle(self, context: Context, target: str, item: Json) -> None:
        """Delete the object and wait until it is gone.  Raises RecreateError, also when in use."""
        if not self._deleted(context, target, item):
            # A request of an import that was killed may have changed it since it was read.
            read = self.fetch(context, target)
            if read is not None and not self._deleted(context, target, read):
                raise RecreateError("the target says that it is in use")
        what = f"{self.path} {target}"
        wait_for(context, lambda: self.fetch(context, target), _gone, what, failed=_undeletable)

    def _deleted(self, context: Context, target: str, item: Json) -> bool:
        self.release(context, target, item)
        return context.cloud.delete(self.service, self.path_of(target))

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
    def marks(self, context: Context, mark: str | None = None) -> Iterator[tuple[str | None, str]]:
        """(text that may be a marker, ID), for every object of this type in the project.

        ``mark``: only this one is looked for, as it is in the POST; where the API can, it is asked
        for less."""

    def bearers(self, context: Context, record: R) -> list[str]:
        """The IDs of all that bears the record's marker; a POST that arrived twice made two.

        One list call serves all records of a type: whatever is made later is in the journal.
        """
        if self.path not in context.marked:
            found: dict[str, list[str]] = {}
            for mark, target in self.marks(context):
                if mark and target not in found.setdefault(mark, []):
                    found[mark].append(target)
            context.marked[self.path] = found
        return context.marked[self.path].get(context.marker(record.ref), [])

    def find(self, context: Context, record: R) -> str | None:
        """The ID of what an earlier POST of this bundle made, by its marker."""
        return self.best(context, self.bearers(context, record))

    def look(self, context: Context, record: R) -> str | None:
        """The same, asked of the target anew."""
        mark = context.marker(record.ref)
        found = {target for text, target in self.marks(context, mark) if text == mark}
        return self.best(context, found)

    def best(self, context: Context, targets: Collection[str]) -> str | None:
        """The one to go on with: what works before what is broken, what is used before the rest."""
        if len(targets) < 2:
            return next(iter(targets), None)
        items = [(target, self.fetch(context, target)) for target in sorted(targets)]
        ranked = [
            (self.broken(item), not self.used(context, item), target)
            for target, item in items
            if item is not None
        ]
        return min(ranked)[2] if ranked else None

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
        path = self.path_of(target)
        answer = context.cloud.get_or_none(self.service, path)
        if answer is None:
            return None
        item = answer.get(self.key) if self.key and isinstance(answer, dict) else answer
        if not isinstance(item, dict):
            raise context.cloud.not_whole("GET", path, f"it has no {self.key or 'object'}")
        return next(self.ours(context, [item]), None)

    def remove(self, context: Context, target: str) -> None:
        """Delete a broken object, so that it can be made again.  Raises RecreateError."""
        if not context.cloud.delete(self.service, self.path_of(target)):
            raise RecreateError("it is broken, and the target does not delete it", where=target)


class Unmarked(Recreator[R]):
    """A type whose objects cannot bear a marker: what equals the record tells."""

    can_be_marked = False

    def marks(self, context: Context, mark: str | None = None) -> Iterator[tuple[str | None, str]]:
        return iter(())

    def candidates(self, context: Context) -> Iterable[Json]:
        """All of this type in the project; nothing for a type of which the target has at most one
        that equals a record."""
        return ()

    def equals(
        self, context: Context, record: R, candidates: Iterable[Json] | None = None
    ) -> list[str]:
        """The IDs of all that equals the record, that nothing uses and that the journal does not
        name.  ``candidates``: those that were read already."""
        journalled = {entry.target for _, entry in context.journal}
        items = self.candidates(context) if candidates is None else candidates
        return [
            str(item["id"])
            for item in self.ours(context, items)
            if item["id"] not in journalled
            and not self.used(context, item)
            and not self.differences(context, record, item)
        ]

    def find(self, context: Context, record: R) -> str | None:
        return self.reusable(context, record)

    def look(self, context: Context, record: R) -> str | None:
        return self.find(context, record)

    def reusable(self, context: Context, record: R) -> str | None:
        return next(iter(self.equals(context, record)), None)


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
        return new_id(
            context, self.path, post(context, record, send, body, self.optional), self.key
        )

    def all(self, context: Context, **query: str) -> Iterator[Json]:
        """Every object of this type in the project, each as ``fetch`` gives it."""
        query = {"project_id": context.cloud.project_id, **query}
        items = context.cloud.list("network", self.path, self.collection, query)
        return self.ours(context, items)

    def marks(self, context: Context, mark: str | None = None) -> Iterator[tuple[str | None, str]]:
        for item in self.all(context, **({"description": mark} if mark else {})):
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

    @staticmethod
    def ports(context: Context, **query: str) -> Iterator[Json]:
        """The project's ports that fit the ``query``; the target may not know such a filter."""
        for port in context.cloud.list("network", "/ports", "ports", query):
            if all(port.get(name) == value for name, value in query.items()):
                yield port

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


def new_id(context: Context, path: str, answer: Json, key: str | None) -> str:
    """The ID in the answer to a POST.  Raises AnswerLost where there is none."""
    item = answer.get(key) if key and isinstance(answer, dict) else answer
    identity = item.get("id") if isinstance(item, dict) else None
    if not identity or not isinstance(identity, str):
        raise context.cloud.not_whole("POST", path, "it has no ID")
    return identity


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
