"""The pages of docs/how-to, command by command: each does what the page says, at real clouds.

air-gap.md has a test of its own, which also runs what install.md shows.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import plain_tenant
from tests.devcloud import Devcloud
from tests.docs.pages import blocks
from tests.e2e.bash import bash, users_environment

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
ELSEWHERE = {"air-gap.md", "install.md"}
TAKE = "cp ../out.dpbundle ."
"""The bundle of the fixture, which the pages find lying there."""
IMPORT = "downpour-import out.dpbundle --cloud target"
UNDO = "downpour-import undo out.dpbundle --cloud target --yes"
SIGNERS = """echo "ops@example.org $(cut -d ' ' -f 1,2 ~/.ssh/downpour.pub)" > allowed_signers"""
DIGEST = re.compile(r'"[0-9a-f]{4}( [0-9a-f]{4}){15}"')
ASK = re.compile(r"downpour-import (undo|forget)|--edited")


@dataclass(frozen=True)
class Scene:
    """What a page takes for granted, and what is different here.

    ``before``: commands before the first of the page.  ``between``: how a command of the page ends
    or begins -> a command before it.  ``changed``: text of the page -> what stands for it here.
    ``after``: commands that take back what is left.
    """

    before: tuple[str, ...] = (TAKE,)
    between: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = (UNDO,)


SCENES = {
    "by-hand.md": Scene(
        changed={
            "downpour-import unpack out.dpbundle by-hand": "OS_CLOUD=target downpour-import unpack "
            "out.dpbundle by-hand | tee printed"
        },
        between={
            "import by-hand --cloud target": """(eval "$(cat printed)")""",
            "--edited": "downpour-import undo by-hand --cloud target --yes; "
            "sed -i s/app-router/edge-router/ by-hand/playbook/resources.yml",
        },
        after=("downpour-import undo by-hand --cloud target --yes",),
    ),
    "check-a-bundle.md": Scene(after=()),
    "choose-what-goes.md": Scene(before=("rm export.yml",), after=()),
    "encrypt.md": Scene(
        before=("mkdir clear ~/.ssh", "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/far-side"),
        between={
            "--passphrase-file passphrase.txt": "mv out.dpbundle.age ssh.age; "
            "echo correct horse > passphrase.txt",
            "--identity ~/.ssh/far-side --decrypt-to clear": "mv out.dpbundle.age by-phrase.age; "
            "mv ssh.age out.dpbundle.age",
            "--passphrase-file passphrase.txt --decrypt-to clear": "downpour-import undo "
            "out.dpbundle.age --cloud target --identity ~/.ssh/far-side --decrypt-to clear --yes; "
            "mv out.target ssh.target; mv by-phrase.age out.dpbundle.age",
        },
        # age itself is not here; what it would make is.
        changed={"/var/tmp": "clear", "age -d -i ~/.ssh/far-side -o out.dpbundle": f"{TAKE} ;:"},
        after=(
            "downpour-import undo out.dpbundle.age --cloud target --identity out.dpbundle.age.key "
            "--passphrase-file passphrase.txt --decrypt-to clear --yes",
        ),
    ),
    "import-a-part.md": Scene(
        between={"downpour-import out.dpbundle --cloud target --no-start": UNDO},
        after=(UNDO, "downpour-import undo out.dpbundle --cloud source --yes"),
    ),
    "many-servers.md": Scene(between={"--max-temporary 40": "rm out.dpbundle"}),
    "map-names.md": Scene(),
    "resume-and-clean-up.md": Scene(before=(), between={"--pause": "rm out.dpbundle"}),
    "sign.md": Scene(
        before=("mkdir ~/.ssh", "touch revoked"),
        between={
            "--allowed-signers allowed_signers --require-signature": SIGNERS,
            "python -m bundle_spec sign": f"{UNDO}; rm -r out.dpbundle out.target; {TAKE}",
        },
    ),
    "small-media.md": Scene(
        before=("mkdir -p media/one media/two media/three",),
        between={
            "python -m bundle_spec split": TAKE,
            "downpour-import verify": "mv media/one/*2 media/two; mv media/one/*3 media/three",
        },
        changed={"/media/": "media/", "4G": "1M"},
        after=(
            "downpour-import undo media/one/out.dpbundle --cloud target "
            "--parts media/two --parts media/three --yes",
        ),
    ),
    "undo-and-forget.md": Scene(
        before=(TAKE, IMPORT), between={"downpour-import forget": IMPORT}, after=()
    ),
}


def script(page: str) -> Iterator[str]:
    """The commands of a page in its scene, each as it is run."""
    scene = SCENES[page]
    lines = [
        line.removeprefix("$ ")
        for block in blocks(PAGES / page, "console")
        for line in textwrap.dedent(block).splitlines()
        if line.startswith("$ ")
    ]
    yield from scene.before
    for line in lines:
        for text, here in scene.changed.items():
            line = line.replace(text, here)
        for edge, command in scene.between.items():
            if line.startswith(edge) or line.endswith(edge):
                yield command
        line = DIGEST.sub('"$(cat ../digest)"', line)
        # There is nobody to answer.
        yield f"{line} --yes" if ASK.search(line) else line
    yield from scene.after


@pytest.fixture(scope="module")
def desk(
    clouds: Devcloud, connect: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A directory with the bundle of a plain tenant, and a clouds.yaml with two accounts."""
    source = connect("source-other")
    made = plain_tenant.build(source, with_volume=False)
    plain_tenant.write_disks(clouds.cloud("source"), made)
    desk = tmp_path_factory.mktemp("desk")
    known = yaml.safe_load(clouds.clouds_yaml.read_text())["clouds"]
    names = {"source": known["source-other"], "target": known["target-other"]}
    (desk / "clouds.yaml").write_text(yaml.safe_dump({"clouds": names}))
    (desk / "export.yml").write_text("servers: [{name: web-1}, {name: db-1}]\n")
    printed = run(desk, desk, ["downpour-export export.yml out.dpbundle --cloud source"])
    (digest,) = re.findall(r"^manifest sha256 (.*)$", printed, re.M)
    (desk / "digest").write_text(digest)
    yield desk
    plain_tenant.remove(source)


def run(desk: Path, folder: Path, commands: Iterable[str]) -> str:
    """Run them in a shell with a home of its own; what they print."""
    home = folder / "home"
    home.mkdir()
    env = {
        **users_environment(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "OS_CLIENT_CONFIG_FILE": str(desk / "clouds.yaml"),
    }
    return bash("\n".join(["set -x", *commands]), cwd=folder, env=env)


def test_every_page_has_a_scene() -> None:
    assert {page.name for page in PAGES.glob("*.md")} == SCENES.keys() | ELSEWHERE


@pytest.mark.parametrize("page", SCENES)
def test_every_command_of_the_page(page: str, desk: Path, connect: Any) -> None:
    folder = desk / page
    folder.mkdir()
    shutil.copy(desk / "export.yml", folder)
    run(desk, folder, script(page))
    if page == "undo-and-forget.md":
        plain_tenant.remove(connect("target-other"))
