#!/usr/bin/python
from __future__ import annotations

DOCUMENTATION = r"""
module: upload
short_description: Stream a disk of a downpour bundle into an image
description:
  - Sends the bytes of one disk from the bundle to the Image service in one stream, checks them on
    the way, and compares the hash that the Image service computes.
  - An image that this bundle made before is left as it is.
author:
  - The downpour founders
options:
  record:
    description: An item of C(images), C(volumes) or C(volume_snapshots) of C(resources.yml).
    type: dict
    required: true
  type:
    description: What the record is. A volume's bytes go into an image that later fills the volume.
    type: str
    choices: [image, volume, volume_snapshot]
    required: true
  settings:
    description: The path of C(settings.yml).
    type: path
    required: true
requirements:
  - downpour
"""

EXAMPLES = r"""
- name: Upload images
  downpour.bundle.upload:
    record: "{{ item }}"
    type: image
    settings: "{{ playbook_dir }}/settings.yml"
  loop: "{{ downpour_data.resources.images }}"
"""

RETURN = r"""
id:
  description: The ID of the image on the target.
  type: str
  returned: success
state:
  description:
    - C(made), C(unchanged), C(mapped), or C(planned) in check mode.
    - C(failed) where the playbook collects failures, and the action C(outcome) fails with them.
  type: str
  returned: success
message:
  description: Why it failed; empty if it did not.
  type: str
  returned: success
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from bundle_spec.errors import DownpourError
from bundle_spec.form import codec
from bundle_spec.model import Image, Volume
from bundle_spec.model.resources import Resources
from downpour_import import session
from downpour_import.errors import RunEnded
from downpour_import.playbook import events
from downpour_import.playbook.settings import load_settings, state_of
from downpour_import.recreate import ending_the_run, upload_disk
from downpour_import.state.failures import Failures

STEP = 4 << 20


class Reporter:
    """Sends ``bytes`` events of an upload: one for every few MiB rather than for every piece, and
    one less than nothing when a disk is sent again."""

    def __init__(self, **upload: str) -> None:
        self._upload = upload
        self._waiting = 0

    def __call__(self, amount: int) -> None:
        self._waiting += amount
        if abs(self._waiting) >= STEP:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            events.emit("bytes", amount=self._waiting, **self._upload)
            self._waiting = 0


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "record": {"type": "dict", "required": True},
            "type": {
                "type": "str",
                "required": True,
                "choices": ["image", "volume", "volume_snapshot"],
            },
            "settings": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    kind, value = module.params["type"], module.params["record"]
    name = str(value.get("name"))
    try:
        held = codec.decode(Resources, {kind + "s": [value]}, "record")
        disks: tuple[Image | Volume, ...] = (*held.images, *held.volumes, *held.volume_snapshots)
        (record,) = disks
        settings = load_settings(Path(module.params["settings"]))
        on_bytes = Reporter(type=kind, id=record.id, name=name)
        with ending_the_run(Failures(state_of(settings))):
            context = session.open_context(settings)
            outcome = upload_disk(context, record, on_bytes, check=module.check_mode)
        on_bytes.flush()
    except DownpourError as exc:
        if not isinstance(exc, RunEnded):
            events.emit("failed", type=kind, name=name, message=str(exc))
        module.fail_json(msg=str(exc))
    told = {"state": outcome.state, "message": outcome.message}
    events.emit("uploaded", type=kind, id=record.id, name=name, **told)
    if outcome.message:
        module.warn(f"{kind.replace('_', ' ')} {name!r} {outcome.verb}: {outcome.message}")
    module.exit_json(changed=outcome.changed, id=outcome.target, **told)


if __name__ == "__main__":
    main()
