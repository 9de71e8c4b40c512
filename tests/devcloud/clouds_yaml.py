"""clouds.yaml for the state directory, written by hand: the standard library has no YAML."""

from __future__ import annotations

from collections.abc import Iterable

from .cloud import Cloud

_ENTRY = """\
  {entry}:
    auth:
      auth_url: {auth_url}
      username: {user}
      password: "{password}"
      project_name: {user}
      user_domain_name: Default
      project_domain_name: Default
    region_name: {region}
"""


def render(clouds: Iterable[Cloud]) -> str:
    entries = [
        _ENTRY.format(
            entry=account.entry,
            auth_url=cloud.auth_url,
            user=account.name,
            password=account.password,
            region=cloud.spec.region,
        )
        for cloud in clouds
        for account in cloud.accounts
    ]
    return "clouds:\n" + "".join(entries) if entries else "clouds: {}\n"
