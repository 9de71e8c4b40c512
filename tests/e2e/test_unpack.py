"""The unpacked directory: it runs by hand, edits are seen, and foreign code does not run."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import BundleWriter, open_bundle
from bundle_spec.model import Content
from tests.devcloud import Devcloud
from tests.e2e.conftest import Exported, Shell, read_csv
from tests.e2e.holdings import holdings
from tests.tenant import Tenant


@pytest.fixture(scope="module")
def unpacked(shell: Shell, exported: Exported) -> Path:
    done = shell.run("downpour-import", "unpack", "out.dpbundle", "by-hand")
    assert done.stdout == (
        "cd by-hand/playbook && OS_CLOUD=NAME "
        f"OS_CLIENT_CONFIG_FILE={shell.directory.resolve()}/clouds.yaml "
        "ansible-playbook -i inventory.ini site.yml\n"
    )
    return shell.directory / "by-hand"


def by_hand(shell: Shell, unpacked: Path, *arguments: str) -> Any:
    """The printed command, with the cloud as every OpenStack client takes it."""
    return Shell(unpacked / "playbook").run(
        "ansible-playbook", "-i", "inventory.ini", "site.yml", *arguments,
        OS_CLOUD="target-other",
        OS_CLIENT_CONFIG_FILE=str(shell.directory / "clouds.yaml"),
    )  # fmt: skip


def test_it_passes_syntax_check_and_lint(shell: Shell, unpacked: Path) -> None:
    by_hand(shell, unpacked, "--syntax-check")
    lint = Shell(unpacked / "playbook").run(
        "ansible-lint", "--offline", "--nocolor", "--profile", "production", ".", check=False
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr
    assert "0 failure(s)" in lint.stderr + lint.stdout


def test_check_mode_reaches_the_end_and_makes_nothing(
    shell: Shell, exported: Exported, connect: Any
) -> None:
    before = holdings(connect("target-other"))
    done = shell.run(
        "downpour-import", "out.dpbundle", "--cloud", "target-other", "--check",
        "--state", "checked",
    )  # fmt: skip
    assert "23 planned; nothing was made" in done.stdout
    assert holdings(connect("target-other")) == before


def test_it_runs_by_hand(
    shell: Shell, unpacked: Path, made: Tenant, connect: Any, clouds: Devcloud
) -> None:
    by_hand(shell, unpacked)
    rows = read_csv(unpacked / "state" / "uuids.csv")[1:]
    assert len(rows) == 23
    new = {row[2]: row[3] for row in rows}
    server = connect("target-other").compute.get_server(new[made.web])
    assert server.name == "web {{ 7*7 }}"
    assert server.status == "ACTIVE"
    files = (
        clouds.cloud("source").volume_file(made.data_volume),
        clouds.cloud("target").volume_file(new[made.data_volume]),
    )
    digests = set()
    for path in files:
        with path.open("rb") as file:
            digests.add(hashlib.file_digest(file, "sha256").hexdigest())
    assert len(digests) == 1
    again = by_hand(shell, unpacked)
    assert "changed=0" in again.stdout
    assert "changed=1" not in again.stdout
    assert len(read_csv(unpacked / "state" / "uuids.csv")[1:]) == 23


def test_a_changed_task_file_is_refused_with_its_difference(
    shell: Shell, unpacked: Path, tmp_path: Path, connect: Any
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(unpacked, changed)
    with (changed / "playbook" / "tasks" / "networks.yml").open("a") as file:
        file.write("- name: Evil\n  ansible.builtin.command: id\n")
    done = shell.run("downpour-import", str(changed), "--cloud", "target-other", check=False)
    assert done.returncode == 5
    assert "+  ansible.builtin.command: id" in done.stderr


def test_code_beside_the_playbook_is_not_run(shell: Shell, unpacked: Path, tmp_path: Path) -> None:
    """Whatever Ansible would pick up from beside a playbook is left where it lies."""
    planted = tmp_path / "planted"
    shutil.copytree(unpacked, planted)
    proof = tmp_path / "it-ran"
    playbook = planted / "playbook"
    for folder in ("action_plugins", "library", "filter_plugins", "callback_plugins"):
        (playbook / folder).mkdir()
        for name in ("keypair", "network", "from_yaml", "default"):
            (playbook / folder / f"{name}.py").write_text(f"open({str(proof)!r}, 'w')\n")
    (playbook / "ansible.cfg").write_text(f"[defaults]\naction_plugins={playbook}\n")
    (playbook / "group_vars").mkdir()
    (playbook / "group_vars" / "all.yml").write_text(
        f"downpour_data: \"{{{{ lookup('pipe', 'touch {proof}') }}}}\"\n"
    )
    action = playbook / "collections/ansible_collections/downpour/bundle/plugins/action"
    (action / "keypair.py").write_text(f"open({str(proof)!r}, 'w')\n")
    done = shell.run("downpour-import", str(planted), "--cloud", "target-other", check=False)
    assert done.returncode == 0, done.stderr
    assert not proof.exists()


def test_an_edited_record_is_refused_and_named(
    shell: Shell, unpacked: Path, made: Tenant, tmp_path: Path
) -> None:
    edited = tmp_path / "edited"
    shutil.copytree(unpacked, edited)
    resources = edited / "playbook" / "resources.yml"
    text = resources.read_text()
    assert "description: to the world" in text
    resources.write_text(text.replace("description: to the world", "description: to nowhere"))
    done = shell.run("downpour-import", str(edited), "--cloud", "target-other", check=False)
    assert done.returncode == 5
    assert f"router {made.router} 'edge': description changed" in done.stderr
    # With --edited it goes on.
    done = shell.run(
        "downpour-import", str(edited), "--cloud", "target-other", "--edited", "--check"
    )
    assert f"edited: router {made.router} 'edge': description changed" in done.stderr


def test_a_bundle_with_another_task_file_is_refused(
    shell: Shell, exported: Exported, tmp_path: Path
) -> None:
    """Whole and well formed, but its playbook is not ours."""
    forged = tmp_path / "forged.dpbundle"
    with open_bundle(exported.bundle) as bundle, BundleWriter(forged) as writer:
        manifest = bundle.manifest
        for file in manifest.files:
            data = bundle.read_file(file.path)
            if file.path.endswith("site.yml"):
                data += b"\n- name: Evil\n  hosts: localhost\n"
            writer.add_file(file.path, data)
        writer.finish(Content(created=manifest.created, tool=manifest.tool, source=manifest.source))
    shell.run("downpour-import", "verify", str(forged))
    done = shell.run("downpour-import", str(forged), "--cloud", "target-other", check=False)
    assert done.returncode == 5
    assert "playbook/site.yml" in done.stderr
    assert "+- name: Evil" in done.stderr
