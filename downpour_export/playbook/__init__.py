"""The playbook of a bundle: the static files of the format, and one data file made of records."""

from __future__ import annotations

import json
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from bundle_spec.form import codec
from bundle_spec.model import Content
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.playbook import static_files

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def playbook_files(bundle_uuid: str, content: Content) -> dict[str, bytes]:
    """Path from the archive root -> bytes of every playbook file.

    Tenant text reaches YAML only through a YAML dumper or, in comments, as an ASCII JSON
    string, so that no name can end a line or open a key.
    """
    environment = Environment(
        loader=PackageLoader("downpour_export.playbook"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the output is YAML, and every value goes through a filter below
    )
    environment.filters["item"] = _item
    environment.filters["quoted"] = json.dumps
    data = PlaybookData(
        bundle=bundle_uuid, references=content.references, resources=content.resources
    )
    resources = environment.get_template("resources.yml.j2").render(
        data=codec.encode(data), content=content
    )
    files = {**static_files(), "resources.yml": resources.encode()}
    return {f"playbook/{name}": files[name] for name in sorted(files)}


def _item(value: object, indent: int) -> str:
    """A record as one item of a YAML list, ``indent`` spaces from the left."""
    # Line ends of Unicode stay escaped: PyYAML's own dumper would break lines at them.
    readable = json.dumps(value, ensure_ascii=False).isprintable()
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        allow_unicode=readable,
        default_flow_style=False,
        sort_keys=False,
        width=10**9,
    )
    lines = text.splitlines(keepends=True)
    margin = " " * indent
    return f"{margin}- " + f"{margin}  ".join(lines)
