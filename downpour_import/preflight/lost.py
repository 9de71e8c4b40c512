"""Attributes that the target cannot take because it is older, or lacks an extension.  Pure.

None of them stops an import: each is told, with how many resources have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from bundle_spec.model import FloatingIp, Network, Port, Resource, SecurityGroup, Server, Subnet
from downpour_cloud.microversions import version
from downpour_import.preflight.survey import Survey


def lost(wanted: Iterable[Resource], target: Survey) -> Iterator[str]:
    """One line for each attribute that some of ``wanted`` will lack on the target."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for record in wanted:
        kind = record.type.replace("_", " ")
        for microversion, what in _of_nova(record):
            if target.compute is not None and version(target.compute) < version(microversion):
                counts[what, kind, f"needs Nova's microversion {microversion}"] += 1
        for alias, what in _of_neutron(record):
            if target.extensions is not None and alias not in target.extensions:
                counts[what, kind, f"needs Neutron's extension {alias}"] += 1
    for (what, kind, why), number in counts.items():
        owners = f"a {kind}" if number == 1 else f"{number} {kind}s"
        yield f"{what} of {owners} cannot be set: it {why}"


def _of_nova(record: Resource) -> Iterator[tuple[str, str]]:
    """(microversion, attribute), as the Compute API's history gives them."""
    if isinstance(record, Server):
        devices = [each.tag for each in record.nics] + [each.tag for each in record.volumes]
        for microversion, what, there in (
            ("2.19", "description", record.description),
            ("2.26", "tags", record.tags),
            ("2.42", "NIC and disk tags", any(devices)),
            ("2.73", "reason of the lock", record.locked_reason),
            ("2.90", "hostname", record.hostname),
        ):
            if there:
                yield microversion, what


def _of_neutron(record: Resource) -> Iterator[tuple[str, str]]:
    """(extension, attribute), as the Networking API gives them."""
    match record:
        case Network():
            found = [
                ("dns-integration", "DNS domain", record.dns_domain),
                ("port-security", "port security off", not record.port_security_enabled),
                ("net-mtu-writable", "MTU", record.mtu),
            ]
        case Subnet():
            found = [("subnet-service-types", "service types", record.service_types)]
        case Port():
            found = [
                ("port-security", "port security off", not record.port_security_enabled),
                ("extra_dhcp_opt", "extra DHCP options", record.extra_dhcp_opts),
                ("dns-integration", "DNS name", record.dns_name),
                ("dns-domain-ports", "DNS domain", record.dns_domain),
                ("allowed-address-pairs", "address pairs", record.allowed_address_pairs),
            ]
        case SecurityGroup():
            found = [("stateful-security-group", "stateless", not record.stateful)]
        case FloatingIp():
            found = [("dns-integration", "DNS name", record.dns_name)]
        case _:
            found = []
    yield from ((alias, what) for alias, what, there in found if there)
