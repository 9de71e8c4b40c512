"""The two test clouds behind proxies, with a clouds.yaml that leads to these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.devcloud import Devcloud
from tests.devcloud.cloud import SERVICES
from tests.faults.log import Log
from tests.faults.proxy import Proxy
from tests.faults.rules import Plan

API_TIMEOUT = 15
"""Seconds of ``api_timeout``: what a stalled connection costs in these runs."""

PORTS_ABOVE = 50
"""A proxy listens so many ports above its service: an import goes on only at the address where it
began."""


@contextmanager
def behind_proxies(
    clouds: Devcloud, names: Sequence[str], plan: Plan, log: Log, clouds_yaml: Path
) -> Iterator[Mapping[str, Proxy]]:
    """Write a ``clouds.yaml`` with the clouds' entries, of which those of ``names`` lead to proxies
    that run within the block."""
    with ExitStack() as stack:
        proxies = {
            name: stack.enter_context(_before(clouds, name, plan, log).running()) for name in names
        }
        text = clouds.clouds_yaml.read_text()
        for proxy in proxies.values():
            text = proxy.addresses.in_text(text)
        clouds_yaml.write_text(_with_timeout(text))
        yield proxies


def _before(clouds: Devcloud, name: str, plan: Plan, log: Log) -> Proxy:
    """``name`` is part of the seed: the same request need not meet the same in both."""
    cloud = clouds.cloud(name)
    services = {service: cloud.url(service) for service in SERVICES}
    ports = {service: cloud.port(service) + PORTS_ABOVE for service in SERVICES}
    return Proxy(services, Plan(f"{plan.seed} {name}", plan.rules, plan.chance), log, ports)


def _with_timeout(text: str) -> str:
    return text.replace("    auth:\n", f"    api_timeout: {API_TIMEOUT}\n    auth:\n")
