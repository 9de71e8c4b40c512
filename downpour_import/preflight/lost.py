"""Attributes that the target cannot take because it is older, or lacks an extension.  Pure.

None of them stops an import: each becomes one warning that counts the resources that have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from bundle_spec.model import FloatingIp, Network, Port, Resource, SecurityGroup, Server, Subnet
from downpour_cloud.microversions import version
from downpour_import.preflight.hostnames import PARAMETER, nova_hostname
from downpour_import.preflight.survey import Survey


def lost_attributes(wanted: Iterable[Resource], target: Survey) -> Iterator[str]:
    """One warning for each attribute that some of ``wanted`` will lack on the target."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for record in wanted:
        kind = record.type.replace("_", " ")
        for microversion, what in _nova_attributes(record):
            if target.compute is not None and version(target.compute) < version(microversion):
                counts[what, kind, f"needs Nova's microversion {microversion}"] += 1
        for alias, what in _neutron_attributes(record):
            if target.extensions is not None and alias not in target.extensions:
                counts[what, kind, f"needs Neutron's extension {alias}"] += 1
    for (what, kind, why), number in counts.items():
        owners = f"a {kind}" if number == 1 else f"{number} {kind}s"
        yield f"{what} of {owners} cannot be set: it {why}"


def _nova_attributes(record: Resource) -> Iterator[tuple[str, str]]:
    """(microversion that it needs, attribute of ``record``), from the Compute API's history."""
    if isinstance(record, Server):
        devices = [nic.tag for nic in record.nics] + [volume.tag for volume in record.volumes]
        for microversion, what, used in (
            ("2.19", "description", record.description),
            ("2.26", "tags", record.tags),
            ("2.42", "NIC and disk tags", any(devices)),
            ("2.73", "reason of the lock", record.locked_reason),
            (PARAMETER, "hostname", record.hostname not in (None, nova_hostname(record.name))),
        ):
            if used:
                yield microversion, what


def _neutron_attributes(record: Resource) -> Iterator[tuple[str, str]]:
    """(extension that it needs, attribute of ``record``), from the Networking API's reference."""
    match record:
        case Network():
            attributes = [
                ("dns-integration", "DNS domain", record.dns_domain),
                ("port-security", "port security off", not record.port_security_enabled),
                ("net-mtu-writable", "MTU", record.mtu),
            ]
        case Subnet():
            attributes = [("subnet-service-types", "service types", record.service_types)]
        case Port():
            attributes = [
                ("port-security", "port security off", not record.port_security_enabled),
                ("extra_dhcp_opt", "extra DHCP options", record.extra_dhcp_opts),
                ("dns-integration", "DNS name", record.dns_name),
                ("dns-domain-ports", "DNS domain", record.dns_domain),
                ("allowed-address-pairs", "address pairs", record.allowed_address_pairs),
            ]
        case SecurityGroup():
            attributes = [("stateful-security-group", "stateless", not record.stateful)]
        case FloatingIp():
            attributes = [("dns-integration", "DNS name", record.dns_name)]
        case _:
            attributes = []
    yield from ((alias, what) for alias, what, used in attributes if used)
