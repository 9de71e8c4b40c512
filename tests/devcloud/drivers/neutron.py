"""Neutron ML2 mechanism driver: binds every port, and plays the absent agents.

What agents would do and a tenant can see is done: ports of routers and DHCP servers become
ACTIVE, floating IPs become ACTIVE or DOWN, a subnet with DHCP gets its `network:dhcp` port,
which takes an address as it does in a real cloud.
"""

from __future__ import annotations

import uuid
from typing import Any

from neutron.services.trunk.drivers import base as trunk_base
from neutron_lib import constants as const
from neutron_lib import context as n_context
from neutron_lib.api.definitions import portbindings
from neutron_lib.callbacks import events, registry, resources
from neutron_lib.db import constants as db_const
from neutron_lib.plugins import constants as plugin_constants
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api
from neutron_lib.services.qos import base as qos_base
from neutron_lib.services.qos import constants as qos_const
from oslo_config import cfg
from oslo_log import log

LOG = log.getLogger(__name__)

_KBPS = {"type:range": [0, db_const.DB_INTEGER_MAX_VALUE]}
_QOS_RULES = {
    qos_const.RULE_TYPE_BANDWIDTH_LIMIT: {
        qos_const.MAX_KBPS: _KBPS,
        qos_const.MAX_BURST: _KBPS,
        qos_const.DIRECTION: {"type:values": const.VALID_DIRECTIONS},
    },
    qos_const.RULE_TYPE_DSCP_MARKING: {
        qos_const.DSCP_MARK: {"type:values": const.VALID_DSCP_MARKS},
    },
}


class DevcloudTrunkDriver(trunk_base.DriverBase):
    """Without one driver registered, the trunk plugin refuses to load."""

    is_loaded = True


class DevcloudQosDriver(qos_base.DriverBase):
    is_loaded = True


class DevcloudMechanismDriver(api.MechanismDriver):
    def initialize(self) -> None:
        vifs = [portbindings.VIF_TYPE_OVS]
        self._trunk = DevcloudTrunkDriver("devcloud", vifs, ["vlan"], can_trunk_bound_port=True)
        self._qos = DevcloudQosDriver(
            "devcloud",
            vifs,
            [portbindings.VNIC_NORMAL],
            _QOS_RULES,
            requires_rpc_notifications=False,
        )
        for event in (events.AFTER_CREATE, events.AFTER_UPDATE):
            registry.subscribe(self._floating_ip_changed, resources.FLOATING_IP, event)
            registry.subscribe(self._subnet_changed, resources.SUBNET, event)

    @property
    def connectivity(self) -> str:
        return str(portbindings.CONNECTIVITY_L2)

    def bind_port(self, context: Any) -> None:
        for segment in context.segments_to_bind[:1]:
            context.set_binding(
                segment[api.ID],
                portbindings.VIF_TYPE_OVS,
                {portbindings.CAP_PORT_FILTER: True},
                const.PORT_STATUS_ACTIVE,
            )

    def check_segment_for_agent(self, segment: Any, agent: Any) -> bool:
        return True

    # -- ports of routers and DHCP servers ------------------------------------------------
    def create_port_postcommit(self, context: Any) -> None:
        self._activate(context.current)

    def update_port_postcommit(self, context: Any) -> None:
        self._activate(context.current)

    @staticmethod
    def _activate(port: dict[str, Any]) -> None:
        owner = port["device_owner"]
        if (
            owner.startswith("network:")
            and owner != const.DEVICE_OWNER_FLOATINGIP
            and port["status"] != const.PORT_STATUS_ACTIVE
        ):
            directory.get_plugin().update_port_status(
                n_context.get_admin_context(), port["id"], const.PORT_STATUS_ACTIVE
            )

    # -- what the agents would do: a failure is theirs, not the request's -------------------
    def _floating_ip_changed(
        self, resource: str, event: str, trigger: Any, payload: Any = None
    ) -> None:
        try:
            self._set_floating_ip_status(payload.resource_id or payload.latest_state["id"])
        except Exception:
            LOG.exception("The status of a floating IP could not be set")

    def _subnet_changed(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        try:
            self._serve_dhcp(payload.latest_state)
        except Exception:
            LOG.exception("A DHCP port could not be made")

    @staticmethod
    def _set_floating_ip_status(floating_ip_id: str) -> None:
        context = n_context.get_admin_context()
        l3 = directory.get_plugin(plugin_constants.L3)
        floating_ip = l3.get_floatingip(context, floating_ip_id)
        associated = bool(floating_ip["port_id"])
        status = const.FLOATINGIP_STATUS_ACTIVE if associated else const.FLOATINGIP_STATUS_DOWN
        if floating_ip["status"] != status:
            l3.update_floatingip_status(context, floating_ip_id, status)

    @staticmethod
    def _serve_dhcp(subnet: dict[str, Any]) -> None:
        context = n_context.get_admin_context()
        plugin = directory.get_plugin()
        network = plugin.get_network(context, subnet["network_id"])
        if not subnet["enable_dhcp"] or network.get("router:external"):
            return
        address = {"subnet_id": subnet["id"]}
        of_this_network = {
            "network_id": [network["id"]],
            "device_owner": [const.DEVICE_OWNER_DHCP],
        }
        for port in plugin.get_ports(context, filters=of_this_network):
            addresses = port["fixed_ips"]
            if subnet["id"] not in {each["subnet_id"] for each in addresses}:
                changed = {"port": {"fixed_ips": [*addresses, address]}}
                plugin.update_port(context, port["id"], changed)
            return
        host = cfg.CONF.host
        port = {
            "name": "",
            "tenant_id": network["tenant_id"],
            "project_id": network["tenant_id"],
            "network_id": network["id"],
            "admin_state_up": True,
            "mac_address": const.ATTR_NOT_SPECIFIED,
            "fixed_ips": [address],
            "device_owner": const.DEVICE_OWNER_DHCP,
            "device_id": f"dhcp{uuid.uuid5(uuid.NAMESPACE_DNS, host)}-{network['id']}",
            portbindings.HOST_ID: host,
        }
        plugin.create_port(context, {"port": port})
