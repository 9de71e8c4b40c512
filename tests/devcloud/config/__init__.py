"""The services' configuration files: one module per service, each a plain function."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..cloud import Cloud
from . import cinder, glance, keystone, neutron, nova, placement
from .common import Sections

_FILES = {
    "keystone.conf": keystone.sections,
    "glance-api.conf": glance.sections,
    "placement.conf": placement.sections,
    "neutron.conf": neutron.sections,
    "cinder.conf": cinder.sections,
    "nova.conf": nova.sections,
}

# What the services' own packages install below the venv's etc/.
_SHIPPED = {
    "glance-api-paste.ini": "glance/glance-api-paste.ini",
    "neutron-api-paste.ini": "neutron/api-paste.ini",
    "cinder-api-paste.ini": "cinder/api-paste.ini",
    "nova-api-paste.ini": "nova/api-paste.ini",
    "resource_filters.json": "cinder/resource_filters.json",
}


def write(cloud: Cloud, venv: Path, *, debug: bool = False) -> None:
    for name, sections in _FILES.items():
        content = sections(cloud)
        content["DEFAULT"]["debug"] = debug
        _write_ini(cloud.etc / name, content)
    for name, shipped in _SHIPPED.items():
        shutil.copy(venv / "etc" / shipped, cloud.etc / name)
    neutron.write_entry_point(cloud.plugins)


def _write_ini(path: Path, sections: Sections) -> None:
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        for option, value in options.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            lines.append(f"{option} = {text}")
        lines.append("")
    path.write_text("\n".join(lines))
