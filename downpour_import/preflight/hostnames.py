"""Host names of servers, as the target's Nova makes them and its Neutron takes them.  Pure.

With Neutron's extension ``dns-integration`` Nova writes the host name of a server into its ports,
as their DNS name.  Where Neutron does not take it, the server ends in ERROR in the middle of a
run: such a name is replaced before anything is written.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bundle_spec.model import Port, Ref, Resources, Server
from bundle_spec.model.playbook import Rules
from bundle_spec.text import some_of
from downpour_cloud.microversions import version
from downpour_import.errors import TargetError
from downpour_import.preflight import mapping
from downpour_import.preflight.survey import Survey

PARAMETER = "2.90"
"""The microversion from which on Nova takes a host name beside the name."""

_LABELS = "2.94"
"""From here on it may have several labels."""

_LETTERS = {
    **{"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe", "å": "aa"},
    **{"ð": "d", "đ": "d", "þ": "th", "ł": "l"},
}
"""How these are written in ASCII; of other letters the accents are left out."""

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Hostnames:
    """``targets``: ``hostname_ref`` -> the name that a server is given in place of its own;
    ``dns_name_ref`` -> None, where the DNS name of a port gives way to its server's.

    ``choices``: name of a server -> (host name, why), for those that no rule decides.
    """

    targets: Mapping[Ref, str | None]
    choices: Mapping[str, tuple[str, str]]
    warnings: tuple[str, ...]
    faults: tuple[TargetError, ...]


def hostname_ref(server_id: str) -> Ref:
    """The key among the targets of a host name that is not the server's own."""
    return Ref("hostname", server_id)


def dns_name_ref(port_id: str) -> Ref:
    """The key among the targets of a DNS name that a port is made without."""
    return Ref("port_dns_name", port_id)


def hostnames(resources: Resources, rules: Rules, target: Survey) -> Hostnames:
    """The host names of all servers: by ``rules``, else as the target makes and takes them."""
    servers = resources.servers
    has_dns = _has_dns(target)
    made = {server.id: _made(server, target.compute) for server in servers}
    given = {
        server.id: value
        for server in servers
        if (value := mapping.rule(rules, (server.id, server.name))[1]) is not None
    }
    chosen = {
        server.id: _replacement(server)
        for server in servers
        if server.id not in given and _is_refused(server, made[server.id], target)
    }
    named = given | chosen
    found = made | {identity: frozenset([value]) for identity, value in named.items()}
    lost = list(_lost_dns_names(resources, found)) if has_dns else []
    targets: dict[Ref, str | None] = {hostname_ref(each): value for each, value in named.items()}
    equal = _equal(servers, found) if has_dns else ()
    return Hostnames(
        targets=targets | {dns_name_ref(port.id): None for port, _ in lost},
        choices=_choices(servers, chosen),
        warnings=(*_nameless(servers, found), *equal, *(line for _, line in lost)),
        faults=tuple(_rule_faults(servers, given, target.compute)),
    )


def _choices(servers: Iterable[Server], chosen: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What is to be told of the ``chosen`` ones, but for those that Nova would make itself."""
    servers = list(servers)
    namesakes = Counter(server.name for server in servers)
    return {
        server.id if namesakes[server.name] > 1 else server.name: (
            chosen[server.id],
            f"the target does not take {_own(server)!r}",
        )
        for server in servers
        if server.id in chosen and chosen[server.id] != nova_hostname(server.name)
    }


def _has_dns(target: Survey) -> bool:
    return "dns-integration" in (target.extensions or ())


def _is_refused(server: Server, made: frozenset[str], target: Survey) -> bool:
    """Whether Neutron would refuse what Nova makes, or Nova the source's host name."""
    if _has_dns(target) and server.nics and any(map(dns_fault, made)):
        return True
    own, parameter = server.hostname, _is_parameter(target.compute)
    return bool(own and parameter and {own} != made and not is_taken(own, target.compute))


# --- what Nova makes, and what it takes ---


def nova_hostname(name: str, *, dots: bool = False) -> str:
    """The host name that Nova makes of a server's name; empty: it takes the server's new ID
    (``nova.utils.sanitize_hostname``).  ``dots``: as older releases do, which keep them.
    """
    text = name.encode("latin-1", "ignore").decode("latin-1")[:63]
    text = re.sub(r"[ _]" if dots else r"[ _.]", "-", text)
    return re.sub(r"[^\w.-]+", "", text).lower().strip(".-")


def is_taken(hostname: str, compute: str | None) -> bool:
    """Whether a server can get this host name: as a parameter, or else as its first name (Compute
    API, "Create Server").  ``compute``: the microversion, None without one."""
    if compute is None or version(compute) < version(PARAMETER):
        return {nova_hostname(hostname), nova_hostname(hostname, dots=True)} == {hostname}
    if version(compute) < version(_LABELS):
        return len(hostname) <= 63 and bool(
            re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]", hostname)
        )
    return bool(re.fullmatch(r"[a-zA-Z0-9._-]{1,255}", hostname))


def _is_parameter(compute: str | None) -> bool:
    return compute is not None and version(compute) >= version(PARAMETER)


def _made(server: Server, compute: str | None) -> frozenset[str]:
    """What the host name will be, if nothing is done about it: one of these."""
    if server.hostname and _is_parameter(compute) and is_taken(server.hostname, compute):
        return frozenset([server.hostname])
    return frozenset(nova_hostname(server.name, dots=dots) for dots in (False, True))


# --- what Neutron takes ---


def dns_fault(name: str) -> str | None:
    """Why Neutron refuses a DNS name; None if it takes it (``neutron_lib.api.validators.dns``)."""
    text = name.lower().removesuffix(".")
    if not text:
        return None
    labels = text.split(".")
    if len(text) > 255 or any(len(label) > 63 for label in labels):
        return "it is too long"
    if not all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label) for label in labels):
        return "a label of it is not of a-z, 0-9 and hyphens between them"
    if len(labels) > 1 and labels[-1].isdecimal():
        return "its last label is a number"
    return None


def _own(server: Server) -> str:
    return server.hostname or nova_hostname(server.name)


def _replacement(server: Server) -> str:
    """A host name that every target takes, as near to the server's own as can be."""
    plain = nova_hostname(server.name)
    if not server.hostname and len(plain) > 1 and dns_fault(plain) is None:
        return plain
    return in_ascii(server.hostname or server.name) or f"server-{in_ascii(server.id)[:8]}"


def in_ascii(text: str) -> str:
    """``text`` as one DNS label of two letters at least; empty if nothing is left."""
    composed = unicodedata.normalize("NFC", text).lower()
    spelt = "".join(_LETTERS.get(letter, letter) for letter in composed)
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", spelt)
        if not unicodedata.combining(letter)
    )
    label = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:63].strip("-")
    return label if len(label) > 1 else ""


# --- what is told ---


def _rule_faults(
    servers: Iterable[Server], given: Mapping[str, str], compute: str | None
) -> Iterator[TargetError]:
    for server in servers:
        value = given.get(server.id)
        if value is None:
            continue
        problem = dns_fault(value) if value else "it is empty"
        if problem is None and not is_taken(value, compute):
            problem = "this target takes one label only, of a-z, 0-9 and hyphens"
        if problem is not None:
            where = f"mapping hostnames: {server.name!r}"
            yield TargetError(f"{value!r} cannot be a host name: {problem}", where=where)


def _nameless(servers: Iterable[Server], found: Mapping[str, frozenset[str]]) -> Iterator[str]:
    nameless = [server.name for server in servers if "" in found[server.id]]
    if nameless:
        yield (
            f"the target makes host names of new IDs for {some_of(nameless, _SHOWN)}, as nothing "
            "of their names is left in one; hostnames: in the mapping gives others"
        )


def _equal(servers: Iterable[Server], found: Mapping[str, frozenset[str]]) -> Iterator[str]:
    by_hostname: dict[str, list[str]] = {}
    for server in servers:
        by_hostname.setdefault(min(found[server.id]).lower(), []).append(server.name)
    shared = [item for item in by_hostname.items() if item[0] and len(item[1]) > 1]
    for hostname, names in shared[:_SHOWN]:
        yield f"one host name {hostname!r} for {len(names)} servers: {some_of(names, _SHOWN)}"
    if len(shared) > _SHOWN:
        yield f"one host name for several servers: {len(shared) - _SHOWN} more such names"


def _lost_dns_names(
    resources: Resources, found: Mapping[str, frozenset[str]]
) -> Iterator[tuple[Port, str]]:
    """Ports whose DNS name is not their server's host name: Nova refuses them (``dns_name`` in
    ``nova.network.neutron``), and gives them the host name where they have none."""
    ports = {port.id: port for port in resources.ports}
    for server in resources.servers:
        for nic in server.nics:
            port = ports.get(nic.port_id)
            if port and port.dns_name and {port.dns_name} != found[server.id]:
                hostname = min(found[server.id])
                yield (
                    port,
                    f"port {port.name or port.id!r}: its DNS name {port.dns_name!r} becomes the "
                    f"host name of its server {server.name!r}, {hostname!r}",
                )
