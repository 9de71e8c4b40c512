"""What somebody who knew only the documents came upon: promises that a command did not keep."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pyrage
import pytest

from bundle_spec.errors import BundleError, EncryptionError, LocalError, TrustError, UsageError
from bundle_spec.playbook import static_files
from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust import age, policy
from downpour_cloud import CloudOptions, find_cloud
from downpour_cloud.errors import CloudError
from downpour_import import cli, undo
from downpour_import.errors import StateError
from downpour_import.options import effective_settings
from downpour_import.source.decrypted import Keys, in_clear
from downpour_import.source.opening import admit
from downpour_import.state import directory
from tests.unit.importer.test_trust import open_source, write_bundle
from tests.unit.importer.test_whole_import import Far

PORTS = static_files()["tasks/ports.yml"]


def refusal(tmp_path: Path, ports: bytes) -> str:
    path = write_bundle(tmp_path / "b", {"tasks/ports.yml": ports})
    with pytest.raises(TrustError) as caught:
        open_source(path, NULL)
    return str(caught.value)


def test_lines_of_a_difference_that_are_not_shown_are_said(tmp_path: Path) -> None:
    told = refusal(tmp_path, b"# harmless\n" * 60 + PORTS + b"- ansible.builtin.shell: evil\n")
    assert "evil" not in told
    assert "more lines are NOT shown" in told


def test_the_rest_of_a_long_line_of_a_difference_is_said(tmp_path: Path) -> None:
    told = refusal(tmp_path, PORTS + b"# " + b"x" * 500 + b"\n")
    assert "more characters are NOT shown" in told


def test_a_fifo_as_clouds_yaml_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("downpour_cloud.config.CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    os.mkfifo(tmp_path / "clouds.yaml")
    with pytest.raises(CloudError, match="this is no file"):
        find_cloud(CloudOptions(cloud="x"))


def test_a_link_that_state_names_is_refused(tmp_path: Path) -> None:
    far = Far(tmp_path)
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    options = far.options(state=tmp_path / "link")
    settings = effective_settings(options, admit(options.candidate, NULL).settings)
    with pytest.raises(StateError, match="it is a symbolic link"):
        directory.require_ours(Path(settings.state or ""))


def test_a_bundle_that_is_not_there_is_told_before_any_cloud_is_asked(
    tmp_path: Path, capsys: Any
) -> None:
    auth = "{auth_url: 'http://127.0.0.1:1/v3', username: u, password: p, project_name: p}"
    (tmp_path / "clouds.yaml").write_text(f"clouds: {{x: {{auth: {auth}}}}}\n")
    config = ["--os-client-config", str(tmp_path / "clouds.yaml")]
    for command in (["plan"], []):
        words = [*command, str(tmp_path / "none.dpbundle"), "--cloud", "x", *config]
        assert cli.main(words) == LocalError.exit_code
    assert "cannot open the bundle" in capsys.readouterr().err


def test_keys_that_are_missing_are_told_before_any_cloud_is_asked(
    tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "b.age"
    path.write_bytes(b"age-encryption.org/v1\n" + bytes(2000))
    assert cli.main(["plan", str(path), "--cloud", "nowhere"]) == UsageError.exit_code
    assert "is encrypted (name the key with --identity FILE" in capsys.readouterr().err


def test_an_undo_tells_that_a_state_is_not_ours_alone(tmp_path: Path) -> None:
    far = Far(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o770)
    with pytest.raises(StateError, match="its mode is 0770"), undo.opened(far.options(), NULL):
        pass


def test_an_undo_after_a_preflight_that_failed_finds_nothing_imported(tmp_path: Path) -> None:
    far = Far(tmp_path)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / directory.STATE_FILE).write_text("{}")
    with (
        pytest.raises(StateError, match="nothing was imported with this state"),
        undo.opened(far.options(), NULL),
    ):
        pass


def test_a_fifo_in_the_place_of_a_part_is_told_as_no_file(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "b.001").write_bytes(b"x" * 100)
    os.mkfifo(tmp_path / "b.002")
    assert cli.main(["verify", str(tmp_path / "b.001")]) == BundleError.exit_code
    assert "b.002: this part is no file" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_an_ssh_key_that_cannot_decrypt_is_told_in_our_words(tmp_path: Path, kind: str) -> None:
    key = tmp_path / "key"
    phrase = "secret" if kind == "ed25519" else ""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", phrase, "-f", key], check=True)
    with pytest.raises(EncryptionError, match=r"no identity in it .*\(ed25519 or rsa\) without"):
        age.identities(key)


@pytest.mark.parametrize("option", ["--allowed-signers", "--revoked-signers"])
def test_signers_that_cannot_be_read_stop_a_command_whatever_the_bundle(
    tmp_path: Path, option: str, capsys: Any
) -> None:
    path, signers = write_bundle(tmp_path / "b"), tmp_path / "signers"
    signers.write_text("")
    others = ["--allowed-signers", str(signers)] if option == "--revoked-signers" else []
    words = ["verify", str(path), *others, option, str(tmp_path / "none")]
    assert cli.main(words) == LocalError.exit_code
    assert "signers: No such file" in capsys.readouterr().err


def test_an_empty_policy_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.yml").write_text("")
    monkeypatch.setenv(policy.VARIABLE, str(tmp_path / "policy.yml"))
    with pytest.raises(LocalError, match="the policy is empty"):
        policy.load()


def test_a_place_where_everybody_may_rename_holds_no_clear_bundle(tmp_path: Path) -> None:
    place, bundle, key = tmp_path / "place", tmp_path / "b.age", tmp_path / "key"
    bundle.write_bytes(b"age-encryption.org/v1\n" + b"x" * 2000)
    key.write_text(str(pyrage.x25519.Identity.generate()))
    place.mkdir()
    place.chmod(0o777)
    keys = Keys(identity=key, place=place)
    with (
        pytest.raises(LocalError, match="everybody may rename"),
        in_clear(BundleFiles(bundle), keys, NULL),
    ):
        pass
