"""A record of what was made, and the one way to make it: a request of the plain API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Cloud = Any
"""A connection of openstacksdk."""

POLICY = "gold"
MAC = "fa:16:3e:12:34:56"
USER_DATA = b"#!/bin/sh\necho '{{ 7*7 }}'\n"


@dataclass
class Rich:
    """Name -> what the API answered when it was made."""

    made: dict[str, Any] = field(default_factory=dict)

    def id(self, name: str) -> str:
        identity: str = self.made[name]["id"]
        return identity


def call(adapter: Any, method: str, path: str, body: Any = None, version: str | None = None) -> Any:
    """One request; its JSON answer, or None."""
    answer = adapter.request(path, method, json=body, microversion=version, raise_exc=False)
    assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def wait(look: Callable[[], Any], ready: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 180
    while not ready(item := look()):
        assert time.monotonic() < deadline, item
        time.sleep(0.3)
    return item
