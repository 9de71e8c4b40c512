"""Events of a run as progress, counts and faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from bundle_spec.model import Disk, Image, Manifest, Network, Resources, Source, Subnet, Volume
from bundle_spec.model.playbook import PlaybookData
from downpour_import.run.watch import Watcher

RESOURCES = Resources(
    networks=(Network(id="n", name="net"),),
    subnets=(
        Subnet(id="s", name="", network_id="n", ip_version=4, cidr="10.0.0.0/24", gateway_ip=None),
    ),
    images=(Image(id="i", name="img", disk_id="0001", disk_format="raw", container_format="bare"),),
    volumes=(Volume(id="v", name="vol", size=1, disk_id="0001"),),
)


@dataclass
class Step:
    label: str
    total: int | None
    amount: int = 0
    ended: bool = False

    def advance(self, amount: int) -> None:
        self.amount += amount

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.ended = True


@dataclass
class Steps:
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def task(self, label: str, total: int | None, unit: str) -> Step:
        self.steps.append(Step(label, total))
        return self.steps[-1]

    def say(self, text: str) -> None:
        self.notes.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def steps() -> Steps:
    return Steps()


def watcher(steps: Steps) -> Watcher:
    manifest = Manifest(
        created="",
        tool="",
        source=Source(auth_url="", region=None, project_id="", project_name=""),
        format="dpbundle",
        version=(1, 0),
        uuid="b",
        disks=(
            Disk(
                id="0001",
                disk_format="raw",
                size=77,
                sha256="",
                chunk_size=1,
                chunks=1,
                list_sha256="",
                stored=0,
                shared=0,
            ),
        ),
        index_sha256="",
    )
    return Watcher(PlaybookData(bundle="b", resources=RESOURCES), manifest, steps)


def say(here: Watcher, event: str, **values: Any) -> None:
    here.on_event({"event": event, **values})


def test_resources_are_counted_by_what_became_of_them(steps: Steps) -> None:
    with watcher(steps) as here:
        say(here, "resource", type="network", name="net", state="made")
        say(here, "resource", type="subnet", name="", state="unchanged")
        say(here, "resource", type="subnet_dhcp", name="", state="made")
        say(here, "resource", type="image_kernel", name="img", state="unchanged")
        say(here, "resource", type="volume", name="vol", state="made")
        say(here, "uploaded", type="image", id="i", name="img", state="mapped")
        say(here, "uploaded", type="volume", id="v", name="vol", state="made")
    assert here.states == {"made": 2, "unchanged": 1, "mapped": 1}
    (step,) = steps.steps
    # Network, subnet and volume, the subnet once more for its DHCP, the image for its kernel.
    assert (step.amount, step.total, step.ended) == (5, 5, True)


def test_bytes_of_a_disk_are_a_step_of_its_size_that_ends_with_the_upload(steps: Steps) -> None:
    with watcher(steps) as here:
        say(here, "bytes", type="image", id="i", name="img", amount=40)
        say(here, "bytes", type="volume", id="v", name="vol", amount=1)
        say(here, "bytes", type="image", id="i", name="img", amount=37)
        say(here, "uploaded", type="image", id="i", name="img", state="made")
        _, image, volume = steps.steps
        assert image == Step("upload image img", 77, 77, ended=True)
        assert volume == Step("upload volume vol", 77, 1, ended=False)
    assert volume.ended


def test_failures_are_kept_with_what_they_are_about(steps: Steps) -> None:
    with watcher(steps) as here:
        say(here, "failed", type="security_group", name="web", message="quota")
        say(here, "later version's event", whatever=1)
    (failure,) = here.failures
    assert str(failure) == "security group 'web': quota"
    assert failure.exit_code == 9


def test_what_could_not_be_made_is_said_at_once_and_is_no_end_of_the_run(steps: Steps) -> None:
    with watcher(steps) as here:
        say(here, "resource", type="network", name="net", state="failed", message="quota")
        say(here, "resource", type="subnet", name="", state="not_made", message="it needs net")
        say(here, "resource", type="subnet_dhcp", name="", state="not_made", message="")
        say(here, "uploaded", type="image", id="i", name="img", state="failed", message="cut")
        assert not here.ended
        say(here, "outcome")
    assert here.ended
    assert here.failures == []
    assert here.states == {"failed": 2, "not_made": 1}
    assert steps.notes == [
        "network 'net' failed: quota",
        "subnet was not made: it needs net",
        "image 'img' failed: cut",
    ]


def test_what_an_action_has_to_say_is_said(steps: Steps) -> None:
    with watcher(steps) as watching:
        watching.on_event({"event": "note", "message": "an image was kept"})
    assert steps.notes == ["an image was kept"]
