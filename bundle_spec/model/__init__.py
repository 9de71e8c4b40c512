"""Typed records of everything a manifest holds, one module per resource type."""

from bundle_spec.model.address_group import AddressGroup
from bundle_spec.model.base import Record, Ref, Resource, ResourceType, Tagged
from bundle_spec.model.floating_ip import FloatingIp, PortForwarding
from bundle_spec.model.image import Image
from bundle_spec.model.keypair import Keypair
from bundle_spec.model.manifest import (
    AbandonedDisk,
    Capture,
    Content,
    Disk,
    File,
    Manifest,
    Omission,
    Source,
)
from bundle_spec.model.network import Network
from bundle_spec.model.port import AddressPair, DhcpOption, FixedIp, Port
from bundle_spec.model.references import (
    AvailabilityZoneReference,
    FlavorReference,
    ImageReference,
    KeypairReference,
    NetworkReference,
    QosPolicyReference,
    Reference,
    References,
    SubnetReference,
    VolumeTypeReference,
)
from bundle_spec.model.resources import SECTIONS, Resources
from bundle_spec.model.router import Router, RouterInterface
from bundle_spec.model.security_group import SecurityGroup, SecurityGroupRule
from bundle_spec.model.server import AttachedVolume, Nic, Server
from bundle_spec.model.server_group import ServerGroup
from bundle_spec.model.subnet import AllocationPool, HostRoute, Subnet
from bundle_spec.model.trunk import SubPort, Trunk
from bundle_spec.model.volume import Volume, VolumeSnapshot

__all__ = [
    "SECTIONS",
    "AbandonedDisk",
    "AddressGroup",
    "AddressPair",
    "AllocationPool",
    "AttachedVolume",
    "AvailabilityZoneReference",
    "Capture",
    "Content",
    "DhcpOption",
    "Disk",
    "File",
    "FixedIp",
    "FlavorReference",
    "FloatingIp",
    "HostRoute",
    "Image",
    "ImageReference",
    "Keypair",
    "KeypairReference",
    "Manifest",
    "Network",
    "NetworkReference",
    "Nic",
    "Omission",
    "Port",
    "PortForwarding",
    "QosPolicyReference",
    "Record",
    "Ref",
    "Reference",
    "References",
    "Resource",
    "ResourceType",
    "Resources",
    "Router",
    "RouterInterface",
    "SecurityGroup",
    "SecurityGroupRule",
    "Server",
    "ServerGroup",
    "Source",
    "SubPort",
    "Subnet",
    "SubnetReference",
    "Tagged",
    "Trunk",
    "Volume",
    "VolumeSnapshot",
    "VolumeTypeReference",
]
