"""The most telling faults against a small export and import; ``make faults`` has all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.devcloud import Devcloud
from tests.e2e.disks import differing_in_bundle
from tests.e2e.holdings import holdings
from tests.faults.clouds import behind_proxies
from tests.faults.kinds.altered import Cut, FlipData, RangeIgnored
from tests.faults.kinds.instead import Down, Redirect, Reset, Status, Unauthorized
from tests.faults.kinds.repeated import Twice
from tests.faults.log import Log
from tests.faults.rules import ALWAYS, Plan, Rule, nth
from tests.faults.trials.driver import Phase, User, exit_codes
from tests.tenant import Tenant

BOUND = 120.0
EXPORT = ("downpour-export", "export.yml", "out.dpbundle", "--cloud", "source")
IMPORT = ("downpour-import", "out.dpbundle", "--cloud", "target-other")
UNDO = ("downpour-import", "undo", *IMPORT[1:], "--yes")

IMAGE = r"/v2/images/\{id\}"


@contextmanager
def faults(clouds: Devcloud, folder: Path, name: str, *rules: Rule) -> Iterator[User]:
    """Somebody who works in ``folder`` through proxies before the cloud ``name``."""
    log = Log(folder / "faults")
    log.path.unlink(missing_ok=True)
    with behind_proxies(clouds, [name], Plan("1", rules), log, folder / "clouds.yaml"):
        yield User(folder)
    # Each of them was met, and no token went elsewhere.
    met = {line["fault"] for line in log.faults}
    assert met == {repr(rule.fault) for rule in rules}
    assert not log.trapped


def success(phase: Phase) -> Phase:
    assert not phase.wrong, [*phase.wrong, *(each.stderr for each in phase.tries)]
    return phase


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, made: Tenant) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    images = f"{{id: {made.raw_image}}}, {{id: {made.qcow2_image}}}"
    wanted = f"networks: [{{id: {made.network}}}]\nimages: [{images}]\n"
    (folder / "export.yml").write_text(wanted)
    return folder


def test_an_export_has_the_right_bytes_whatever_becomes_of_downloads(
    folder: Path, made: Tenant, clouds: Devcloud, connect: Any
) -> None:
    before = holdings(connect("source"))
    rules = (
        # One image is cut, and goes on where it was; the other one is flipped.
        Rule(Cut(is_fitting=False, of_data=True), by=nth(1)),
        Rule(RangeIgnored(), by=ALWAYS),
        Rule(FlipData(), by=nth(2, 3)),
        Rule(Cut(is_fitting=True, of_data=False), "GET", shape=IMAGE, by=nth(1)),
        Rule(Status(429, "seconds", 1), "POST", "keystone", by=nth(1)),
    )
    with faults(clouds, folder, "source", *rules) as user:
        success(user.insists("export", EXPORT, BOUND))
    assert not differing_in_bundle(folder / "out.dpbundle", clouds.cloud("source"))
    assert holdings(connect("source")) == before


def test_an_import_makes_each_thing_once_whatever_becomes_of_answers(
    folder: Path, made: Tenant, clouds: Devcloud, connect: Any
) -> None:
    before = holdings(connect("target-other"))
    rules = (
        Rule(Reset(is_obeyed=True), "POST", "neutron", "/v2.0/networks", nth(1)),
        Rule(Status(504, is_obeyed=True), "POST", "glance", "/v2/images", nth(1)),
        Rule(Twice(), "POST", "neutron", "/v2.0/subnets", nth(1)),
        Rule(Reset(is_obeyed=False), "PUT", "glance", f"{IMAGE}/file", nth(1)),
        Rule(Unauthorized(), "GET", "neutron", r"/v2\.0/networks", nth(2)),
        Rule(Down(3.0, is_refused=True), "GET", "neutron", r"/v2\.0/subnets", nth(2)),
    )
    with faults(clouds, folder, "target", *rules) as user:
        success(user.insists("import", IMPORT, BOUND))
    after = holdings(connect("target-other"))
    new = {kind: len(after[kind].keys() - before[kind].keys()) for kind in after}
    assert {kind: number for kind, number in new.items() if number} == {
        "networks": 1, "subnets": 2, "routers": 1, "images": 2, "ports": 3,
    }  # fmt: skip

    lost = Status(504, is_obeyed=True)
    with faults(clouds, folder, "target", Rule(lost, "DELETE", by=nth(1))) as user:
        success(user.insists("undo", UNDO, BOUND))
    assert holdings(connect("target-other")) == before


def test_nothing_goes_to_another_host(folder: Path, clouds: Devcloud) -> None:
    rule = Rule(Redirect(is_elsewhere=True), "GET", "neutron", by=ALWAYS)
    with faults(clouds, folder, "target", rule) as user:
        plan = ("downpour-import", "plan", *IMPORT[1:])
        [refused] = user.insists("plan", plan, BOUND, most=1).tries
    assert refused.code in exit_codes()
    assert "where neither token nor password is sent" in refused.stderr
