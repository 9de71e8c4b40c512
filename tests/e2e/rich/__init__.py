"""A tenant in which every attribute that can be set is set, made through the plain APIs.

In the source's other project: the demo's tenant stays as small as it is.
"""

from __future__ import annotations

from tests.e2e.rich.disks import images, volumes
from tests.e2e.rich.network import groups, networks, ports
from tests.e2e.rich.servers import servers
from tests.e2e.rich.tenant import POLICY, Cloud, Rich, call

EXPORT_YML = """\
keypairs:
  - name: rich-key
images:
  - name: rich-image
volumes:
  - name: rich-data
    snapshots: true
servers:
  - name: rich
    stop: true
    user_data: init.sh
  - name: to-volume
    boot: volume
    stop: keep
  - name: to-image
    boot: image
  - name: again
    save_state: false
  - name: shelf
networks:
  - name: spare
server_groups:
  - name: nobody
address_groups:
  - name: unused
trunks:
  - name: spare-trunk
ports:
  - name: spare-port
volume_snapshots:
  - name: again-before
"""


def policies(admin: Cloud) -> None:
    """What only an operator makes: a policy that tenants may use."""
    body = {"policy": {"name": POLICY, "shared": True}}
    call(admin.network, "POST", "/qos/policies", body)


def build(cloud: Cloud) -> Rich:
    rich = Rich()
    policy = call(cloud.network, "GET", f"/qos/policies?name={POLICY}")["policies"][0]["id"]
    networks(cloud, rich, policy)
    groups(cloud, rich)
    ports(cloud, rich, policy)
    images(cloud, rich)
    volumes(cloud, rich)
    servers(cloud, rich)
    return rich
