"""Nova's API, conductor, scheduler and computes in one process: the fake:/ message bus is a
class attribute of its driver, and so reaches exactly that far."""

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import Any

from .. import patches
from ..cloud import Cloud
from ..process import START_TIMEOUT, is_listening
from .http import Application

_running: list[Any] = []


def load(cloud: Cloud) -> Application:
    os.environ["OS_NOVA_CONFIG_DIR"] = str(cloud.etc)
    os.environ["OS_NOVA_CONFIG_FILES"] = "nova-api-paste.ini;nova.conf"
    sys.argv = ["nova-api"]
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")  # first of all: it forbids eventlet from here on
    patches.everything()
    from nova.wsgi import osapi_compute

    application: Application = osapi_compute.application
    _accept_our_driver(cloud)
    _start_services(cloud)
    return application


def _accept_our_driver(cloud: Cloud) -> None:
    from nova.compute import manager
    from nova.virt import block_device

    # compute_driver is a name below nova.virt, so give our module such a name.
    driver = importlib.import_module("...drivers.nova", __name__)
    sys.modules["nova.virt.devcloud"] = driver

    # The driver derives node ids from host names. Nova's own identity file is one for all
    # hosts of a state_path, and would refuse the second start.
    manager.ComputeManager._ensure_existing_node_identity = lambda self, service_ref: None

    # CONF.host is only one of the hosts here; where it is not the server's, a detach would
    # be skipped as somebody else's business.
    block_device.CONF = _AnyHostConf(block_device.CONF, list(cloud.spec.compute_hosts))


class _OneOf(str):
    """Equal to each of some host names."""

    __slots__ = ("hosts",)
    hosts: list[str]

    def __eq__(self, other: object) -> bool:
        return other in self.hosts

    __hash__ = str.__hash__


class _AnyHostConf:
    def __init__(self, conf: Any, hosts: list[str]) -> None:
        self._conf = conf
        self.host = _OneOf("any")
        self.host.hosts = hosts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conf, name)


def _start_services(cloud: Cloud) -> None:
    import nova.conf
    import os_brick
    import os_vif
    from nova import context, objects, service
    from nova.compute import rpcapi as compute
    from nova.conductor import rpcapi as conductor
    from nova.objects import host_mapping
    from nova.scheduler import rpcapi as scheduler

    conf = nova.conf.CONF
    objects.Service.enable_min_version_cache()
    os_brick.setup(conf)
    os_vif.initialize()

    def start(binary: str, topic: str, **options: Any) -> None:
        started = service.Service.create(binary=binary, topic=topic, **options)
        started.start()
        _running.append(started)

    # All of them speak to Placement when they start, with a token from Keystone.
    for other in ("keystone", "placement"):
        _wait_for(cloud, other)
    start("nova-conductor", conductor.RPC_TOPIC)
    start("nova-scheduler", scheduler.RPC_TOPIC)
    for host in cloud.spec.compute_hosts:
        conf.set_override("host", host)
        start("nova-compute", compute.RPC_TOPIC, topic_alt=compute.RPC_TOPIC_ALT, host=host)
    host_mapping.discover_hosts(context.get_admin_context())


def _wait_for(cloud: Cloud, service: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not is_listening(cloud.port(service)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{service} did not come up")
        time.sleep(0.1)
