"""What an export leaves: one bundle, and the source as it was."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

from bundle_spec import verify_bundle
from tests.devcloud import Devcloud
from tests.e2e.conftest import Exported, Shell
from tests.e2e.disks import differing_in_bundle
from tests.e2e.holdings import holdings
from tests.tenant import EXPORT_YML, Tenant


def test_the_source_holds_exactly_what_it_held(exported: Exported) -> None:
    assert exported.after == exported.before


def test_what_is_named_and_what_it_needs_is_carried(exported: Exported, made: Tenant) -> None:
    manifest = verify_bundle(exported.bundle, read_data=True).manifest
    resources = manifest.resources
    assert {each.id for each in resources.servers} == {made.web, made.db, made.worker}
    assert {each.id for each in resources.networks} == {made.network, made.twin}
    assert {each.id for each in resources.routers} == {made.router}
    assert {each.id for each in resources.security_groups} == {made.web_group, made.db_group}
    assert {each.id for each in resources.keypairs} == {"demo-key", "ops-key"}
    assert {each.id for each in resources.floating_ips} == {made.floating_ip}
    assert {each.id: bool(each.disk_id) for each in resources.volumes} == {
        made.data_volume: True,
        made.boot_volume: True,
        made.scratch_volume: False,
    }
    assert {each.id for each in resources.images} >= {made.raw_image, made.qcow2_image}
    assert len(manifest.disks) == 5


def test_external_network_and_public_image_are_referred_to(exported: Exported) -> None:
    references = verify_bundle(exported.bundle).manifest.references
    assert [each.name for each in references.networks] == ["public"]
    assert [each.name for each in references.images] == ["tiny-linux-1.0"]


def test_disks_hold_the_bytes_of_the_source(
    exported: Exported, made: Tenant, clouds: Devcloud
) -> None:
    assert not differing_in_bundle(exported.bundle, clouds.cloud("source"))


def test_captures_say_when_and_in_which_state(exported: Exported, made: Tenant) -> None:
    captures = {
        disk.capture.id: disk.capture
        for disk in verify_bundle(exported.bundle).manifest.disks
        if disk.capture
    }
    assert captures[made.web].consistency == "live"
    assert captures[made.data_volume].consistency == "live"
    assert captures[made.boot_volume].consistency == "stopped"
    assert captures[made.raw_image].consistency == "idle"
    assert all((each.source_hash or "").startswith("sha512:") for each in captures.values())


def test_standard_tools_rebuild_a_disk(
    exported: Exported, made: Tenant, clouds: Devcloud, tmp_path: Path
) -> None:
    with tarfile.open(exported.bundle) as archive:
        member = archive.extractfile("manifest.json")
        assert member is not None
        manifest = json.load(member)
    disk_id = next(
        each["disk_id"]
        for each in manifest["resources"]["volumes"]
        if each["id"] == made.data_volume
    )
    script = (
        f"tar xf {exported.bundle} && sha256sum --quiet -c disks/{disk_id}.sha256 && "
        f'for d in disks/{disk_id}/*/; do cat "$d"*.zst; done | zstd -dc | '
        f"cmp - {clouds.cloud('source').volume_file(made.data_volume)}"
    )
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_bundle_holds_no_secret(exported: Exported, clouds: Devcloud) -> None:
    found = [
        account.password
        for account in clouds.cloud("source").accounts
        if account.password.encode() in exported.bundle.read_bytes()
    ]
    assert not found


def test_all_mistakes_are_told_at_once_with_their_lines(shell: Shell) -> None:
    """Those of the form, and names that the cloud does not know, also in items with mistakes."""
    (shell.directory / "wrong.yml").write_text(
        "servers:\n  - nam: web\n  - name: db\n    save_state: perhaps\nvolume:\n  - name: x\n"
        "images:\n  - name: nothing-like-it\nkeypairs:\n  - {name: no-key, nam: 1}\n"
    )
    done = shell.run(
        "downpour-export", "wrong.yml", "wrong.dpbundle", check=False, OS_CLOUD="source"
    )
    assert done.returncode == 3
    places = re.findall(r"wrong\.yml:(\d+:\d+)", done.stderr)
    assert places == ["2:5", "4:17", "5:1", "8:5", "10:5", "10:20"]
    assert "no image of this project is named 'nothing-like-it'" in done.stderr
    assert "no keypair of this project is named 'no-key'" in done.stderr
    nowhere = shell.run(
        "downpour-export", "--cloud", "nowhere", "wrong.yml", "wrong.dpbundle", check=False
    )
    assert nowhere.returncode == 3
    assert re.findall(r"wrong\.yml:(\d+:\d+)", nowhere.stderr) == ["2:5", "4:17", "5:1", "10:20"]
    assert "Traceback" not in done.stderr
    assert not (shell.directory / "wrong.dpbundle").exists()


def test_an_ambiguous_name_lists_the_ids(shell: Shell, connect: Any, made: Tenant) -> None:
    source = connect("source")
    twins = [source.block_storage.create_volume(name="twin", size=1) for _ in range(2)]
    (shell.directory / "twin.yml").write_text("volumes:\n  - name: twin\n  - name: dta\n")
    done = shell.run("downpour-export", "twin.yml", "twin.dpbundle", check=False, OS_CLOUD="source")
    for twin in twins:
        source.block_storage.wait_for_status(twin, "available", interval=0.3, wait=60)
        source.block_storage.delete_volume(twin)
        source.block_storage.wait_for_delete(twin, interval=0.3, wait=60)
    assert done.returncode == 3
    assert all(twin.id in done.stderr for twin in twins)
    assert "did you mean 'data'?" in done.stderr


def test_an_interrupted_export_leaves_nothing_at_the_source_and_goes_on(
    shell: Shell, exported: Exported, connect: Any, made: Tenant
) -> None:
    """Ctrl-C while temporary objects exist, at a moment when the source shows one."""
    source = connect("source")
    before = holdings(source)
    process = shell.start("downpour-export", "export.yml", "stopped.dpbundle", OS_CLOUD="source")
    deadline = time.monotonic() + 60
    while not list(source.block_storage.snapshots(details=False)):
        assert time.monotonic() < deadline, "no snapshot was made"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert holdings(source) == before
    assert not (shell.directory / "stopped.dpbundle").exists()
    # The same command goes on, and no less is in the bundle for it.
    shell.run("downpour-export", "export.yml", "stopped.dpbundle", OS_CLOUD="source")
    manifest = verify_bundle(shell.directory / "stopped.dpbundle", read_data=True).manifest
    assert len(manifest.disks) == 5
    assert not list(shell.directory.glob("stopped.dpbundle.*"))
    assert holdings(source) == before


def test_a_token_that_sees_everything_carries_only_its_own_project(
    shell: Shell, connect: Any, made: Tenant, clouds: Devcloud
) -> None:
    """An admin of project demo lists the whole cloud unless each list is filtered."""
    admin, demo = connect("source-admin"), connect("source")
    user, project = demo.current_user_id, demo.current_project_id
    role = admin.identity.find_role("admin")
    admin.identity.assign_project_role_to_user(project, user, role)
    try:
        (shell.directory / "admin.yml").write_text("volumes:\n  - name: data\n")
        shell.run("downpour-export", "admin.yml", "admin.dpbundle", OS_CLOUD="source")
    finally:
        admin.identity.unassign_project_role_from_user(project, user, role)
    # The other project has a volume of the same name, which would make this one ambiguous.
    manifest = verify_bundle(shell.directory / "admin.dpbundle").manifest
    assert [each.id for each in manifest.resources.volumes] == [made.data_volume]


def test_query_writes_a_file_that_can_be_planned(shell: Shell, connect: Any, made: Tenant) -> None:
    (shell.directory / "query.yml").write_text("servers:\n  # the database\n  - name: db\n")
    flavor = connect("source").compute.find_flavor("m1.tiny").id
    command = (
        "downpour-export", "query", "--cloud", "source", "--server-name", "w*",
        "--server-flavor", flavor, "--volume-name", "scr*", "--keypair-name", "demo-*",
        "--image-name", "none", "query.yml",
    )  # fmt: skip
    done = shell.run(*command)
    assert [line.split(" (")[0] for line in done.stdout.splitlines()] == [
        "added keypair demo-key",
        "added volume scratch",
        "added server 'web {{ 7*7 }}'",
        "added server worker",
    ]
    assert "nothing fits --image-name none" in done.stderr
    text = (shell.directory / "query.yml").read_text()
    assert text.startswith("servers:\n  # the database\n  - name: db\n")
    assert shell.run(*command).stdout == "4 were there already\n"
    assert (shell.directory / "query.yml").read_text() == text
    plan = shell.run("downpour-export", "plan", "--cloud", "source", "query.yml").stdout
    assert "server 'web {{ 7*7 }}'" in plan
    assert "volume data: 1.0 GiB, live" in plan or "volume 'data'" in plan


def test_a_token_and_an_application_credential_serve_as_well(
    shell: Shell, connect: Any, clouds: Devcloud, made: Tenant
) -> None:
    source = connect("source")
    user = source.current_user_id
    credential = source.identity.create_application_credential(user, "downpour")
    auth_url = source.session.auth.auth_url
    region = source.config.region_name
    (shell.directory / "auth.yaml").write_text(
        json.dumps(
            {
                "clouds": {
                    "credential": {
                        "auth_type": "v3applicationcredential",
                        "auth": {
                            "auth_url": auth_url,
                            "application_credential_id": credential.id,
                            "application_credential_secret": credential.secret,
                        },
                        "region_name": region,
                    },
                    "token": {
                        "auth_type": "v3token",
                        "auth": {
                            "auth_url": auth_url,
                            "token": source.auth_token,
                            "project_id": source.current_project_id,
                        },
                        "region_name": region,
                    },
                }
            }
        )
    )
    (shell.directory / "auth.yml").write_text("volumes:\n  - name: data\n")
    plan = ("downpour-export", "plan", "--os-client-config", "auth.yaml", "auth.yml", "--cloud")
    told = {shell.run(*plan, cloud).stdout for cloud in ("credential", "token")}
    with_password = shell.run("downpour-export", "plan", "--cloud", "source", "auth.yml").stdout
    assert told == {with_password}
    source.identity.delete_application_credential(user, credential)


OLD = """\
  old:
    compute_default_microversion: "2.1"
    volume_default_microversion: "3.0"
    block_storage_default_microversion: "3.0"
"""


def test_an_old_cloud_is_read_as_far_as_it_tells(
    shell: Shell, exported: Exported, clouds: Devcloud, made: Tenant
) -> None:
    """Pinned to the oldest microversions, a cloud answers as one of many years ago."""
    entries = clouds.clouds_yaml.read_text()
    source = entries.partition("  source:\n")[2].partition("\n  source-")[0]
    (shell.directory / "old.yaml").write_text(f"clouds:\n{OLD}{source}\n")
    (shell.directory / "old.yml").write_text("servers:\n  - name: 'web {{ 7*7 }}'\n  - name: db\n")
    cloud = ("--os-client-config", "old.yaml", "--cloud", "old")
    shell.run("downpour-export", *cloud, "old.yml", "old.dpbundle")
    old = verify_bundle(shell.directory / "old.dpbundle", read_data=True).manifest
    new = verify_bundle(exported.bundle).manifest
    flavors = {each.id: each for each in new.references.flavors}
    assert {each.id: each for each in old.references.flavors} == {
        name: flavors[name] for name in ("m1.tiny", "m1.nodisk")
    }
    servers = {each.id: each for each in new.resources.servers}
    for server in old.resources.servers:
        newest = servers[server.id]
        told_since = {
            name: getattr(newest, name)
            for name in ("description", "hostname", "availability_zone", "image_id", "key_name")
        }
        assert dataclasses.replace(server, **told_since) == newest


def test_the_resource_file_of_the_demo_is_the_one_tested(shell: Shell) -> None:
    assert (shell.directory / "export.yml").read_text() == EXPORT_YML
