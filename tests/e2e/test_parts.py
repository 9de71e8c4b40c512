"""A bundle in parts on two media: it is imported from where they lie."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.devcloud import Devcloud
from tests.e2e.conftest import Shell, read_csv
from tests.e2e.test_unpack import by_hand
from tests.split import split
from tests.tenant import MIB, Tenant
from tests.unit.bundle.test_signing import keygen, public


@pytest.fixture(scope="module")
def media(shell: Shell, made: Tenant) -> Path:
    """The parts of small.dpbundle, by turns in media/one, with their list, and media/two."""
    (shell.directory / "small.yml").write_text(f"images:\n  - id: {made.qcow2_image}\n")
    key = keygen(shell.directory / "key")
    (shell.directory / "allowed_signers").write_text(f"ops@example.org {public(key)}\n")
    command = ("downpour-export", "small.yml", "small.dpbundle", "--sign", "key")
    shell.run(*command, OS_CLOUD="source")
    media = shell.directory / "media"
    split(shell.directory / "small.dpbundle", [media / "one", media / "two"], 5 * MIB)
    return media


def test_it_is_imported_from_two_directories(
    shell: Shell, media: Path, made: Tenant, connect: Any, clouds: Devcloud
) -> None:
    parts = ("--parts", "media/two")
    target = connect("target-other")

    def arrived(state: Path) -> None:
        """The image stands, with the bytes of the source; it goes again."""
        ((*_, old, new),) = read_csv(state / "uuids.csv")[1:]
        assert old == made.qcow2_image
        files = clouds.cloud("source").image_file(old), clouds.cloud("target").image_file(new)
        assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == 1
        target.image.delete_image(new)

    done = shell.run("downpour-import", "show", "--json", "media/one/small.dpbundle", *parts)
    assert json.loads(done.stdout)["parts"] == len(list(media.glob("*/small.dpbundle.0*"))) > 2
    done = shell.run("downpour-import", "verify", "media/one/small.dpbundle.parts", *parts)
    assert "small.dpbundle.parts: whole;" in done.stdout
    done = shell.run(
        "downpour-import", "plan", "small.dpbundle", "--parts", "media/one", *parts,
        "--cloud", "target-other",
    )  # fmt: skip
    assert done.stdout == (
        f"make: image 'golden-qcow2' ({made.qcow2_image})\n"
        "1 planned; nothing was written to the cloud\n"
    )

    shell.run("downpour-import", "unpack", "media/one/small.dpbundle", "small-by-hand", *parts)
    unpacked = shell.directory / "small-by-hand"
    by_hand(shell, unpacked)
    arrived(unpacked / "state")

    done = shell.run(
        "downpour-import", "media/one/small.dpbundle.001", *parts, "--cloud", "target-other",
        "--allowed-signers", "allowed_signers", "--require-signature",
    )  # fmt: skip
    assert "1 made" in done.stdout
    assert "signed by ops@example.org (ED25519 SHA256:" in done.stderr
    # The state is called after the bundle, not after the part.
    arrived(shell.directory / "small.target-other")


def test_a_property_that_the_target_refuses_is_told_and_does_not_stop_the_image(
    shell: Shell, media: Path, made: Tenant, connect: Any
) -> None:
    """Glance keeps names that begin with os_glance_ to itself: a real refusal."""
    parts = ("--parts", "media/two")
    shell.run("downpour-import", "unpack", "media/one/small.dpbundle", "small-edited", *parts)
    path = shell.directory / "small-edited" / "playbook" / "resources.yml"
    data = yaml.safe_load(path.read_text())
    data["resources"]["images"][0]["properties"]["os_glance_mine"] = "yes"
    path.write_text(yaml.safe_dump(data))
    command = ("downpour-import", "small-edited", "--cloud", "target-other", "--edited")
    done = shell.run(*command, check=False)
    assert (done.returncode, "add --yes to do what is listed" in done.stderr) == (2, True)
    done = shell.run(*command, "--yes")
    assert "refused: image 'golden-qcow2': os_glance_mine: the target refused POST with 403" in (
        done.stderr
    )
    assert "as the edited records say, but for what was refused: 1" in done.stdout
    report = json.loads((shell.directory / "small-edited/state/report.json").read_text())
    (refused,) = report["refused"]
    assert (refused["old"], refused["attribute"]) == (made.qcow2_image, "os_glance_mine")
    target = connect("target-other")
    image = target.image.get_image(report["resources"][0]["new"])
    assert image.os_distro == "debian"
    target.image.delete_image(image)


def test_a_key_that_nobody_allowed_is_refused(shell: Shell, media: Path, made: Tenant) -> None:
    other = keygen(shell.directory / "other")
    (shell.directory / "allowed_others").write_text(f"ops@example.org {public(other)}\n")
    done = shell.run(
        "downpour-import", "media/one/small.dpbundle", "--parts", "media/two",
        "--cloud", "target-other", "--allowed-signers", "allowed_others", check=False,
    )  # fmt: skip
    assert (done.returncode, "not among the allowed signers" in done.stderr) == (23, True)
    done = shell.run("downpour-export", "small.yml", "x.dpbundle", "--sign", "none", check=False)
    assert (done.returncode, "cannot read the key" in done.stderr) == (12, True)


def test_without_one_of_them_nothing_begins(shell: Shell, media: Path) -> None:
    done = shell.run(
        "downpour-import", "media/one/small.dpbundle", "--cloud", "target-other", check=False
    )
    assert done.returncode == 4
    missing = sorted(path.name for path in (media / "two").iterdir())
    assert all(f"{name}: this part is missing" in done.stderr for name in missing)


def test_an_encrypted_bundle_in_parts_is_imported_and_nothing_of_it_stays_in_clear(
    shell: Shell, made: Tenant, connect: Any, clouds: Devcloud
) -> None:
    here = shell.directory
    (here / "secret.yml").write_text(f"images:\n  - id: {made.qcow2_image}\n")
    (here / "passphrase").write_text("correct horse\n")
    key = keygen(here / "far-side")
    command = ("downpour-export", "secret.yml", "secret.dpbundle.age", "--split", "5M")
    to = ("--encrypt-to", "far-side.pub", "--passphrase-file", "passphrase")
    done = shell.run(*command, *to, OS_CLOUD="source")
    assert "secret.dpbundle.age.key: the key that decrypts it" in done.stdout
    assert len(list(here.glob("secret.dpbundle.age.0*"))) > 2
    (here / "clear").mkdir()
    with_key = ("--decrypt-to", "clear", "--identity")
    opened = ("secret.dpbundle.age.key", "--passphrase-file", "passphrase")
    shell.run("downpour-import", "verify", "secret.dpbundle.age", *with_key, *opened)
    importing = ("downpour-import", "secret.dpbundle.age", "--cloud", "target-other")
    done = shell.run(*importing, check=False)
    assert (done.returncode, "--identity FILE" in done.stderr) == (2, True)
    done = shell.run(*importing, *with_key, str(key))
    assert "1 made" in done.stdout
    ((*_, old, new),) = read_csv(here / "secret.target-other" / "uuids.csv")[1:]
    files = clouds.cloud("source").image_file(old), clouds.cloud("target").image_file(new)
    assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == 1
    assert list((here / "clear").iterdir()) == []
    connect("target-other").image.delete_image(new)
