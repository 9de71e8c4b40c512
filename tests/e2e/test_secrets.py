"""Nothing secret is in a bundle, a journal, a log, a report, an error or a summary.

Every kind of secret that the APIs and the configuration have is made or taken from real clouds,
and all that two commands left behind is searched for it, in every form in which it may stand there.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle_spec import open_bundle
from tests.devcloud import Devcloud
from tests.e2e.conftest import Shell
from tests.tenant import Tenant

USER_DATA = "#cloud-config\nchpasswd: {list: ['root:correct-horse-battery']}\n"
SECRET_OF_USER_DATA = "correct-horse-battery"


@dataclass(frozen=True)
class Crossing:
    """What was said on terminals, and where everything lies.  ``secrets``: kind -> value."""

    said: Mapping[str, str]
    folder: Path
    secrets: Mapping[str, str]


@pytest.fixture(scope="module")
def crossing(
    shell: Shell, made: Tenant, clouds: Devcloud, connect: Any, tmp_path_factory: Any
) -> Iterator[Crossing]:
    """A server with all that a tenant can give it: out by an application credential, in by a
    password, both also with mistakes, and both as talkative as they can be."""
    folder = tmp_path_factory.mktemp("secrets")
    configured = yaml.safe_load(clouds.clouds_yaml.read_text())["clouds"]
    source = connect("source")
    me = source.current_user_id
    credential = source.identity.create_application_credential(me, name="mover")
    key = source.compute.create_keypair(name="secret-key")
    server = source.compute.create_server(
        name="keeper",
        image_id=source.image.find_image("tiny-linux-1.0").id,
        flavor_id=source.compute.find_flavor("m1.tiny").id,
        networks=[{"uuid": made.network}],
        key_name=key.name,
        user_data=base64.b64encode(b"#!/bin/sh\n# made-with-this-secret\n").decode(),
    )
    admin_password = server.admin_password
    source.compute.wait_for_server(server, wait=120, interval=0.3)
    entry = configured["source"]
    entry = {
        **entry,
        "auth_type": "v3applicationcredential",
        "auth": {
            "auth_url": entry["auth"]["auth_url"],
            "application_credential_id": credential.id,
            "application_credential_secret": credential.secret,
        },
    }
    wrong = {**configured["target-other"], "auth": {**configured["target-other"]["auth"]}}
    wrong["auth"]["password"] = "a-wrong-password-is-one-too"
    entries = {"out": entry, "in": configured["target-other"], "wrong": wrong}
    (folder / "clouds.yaml").write_text(yaml.safe_dump({"clouds": entries}))
    (folder / "data.txt").write_text(USER_DATA)
    (folder / "export.yml").write_text(
        "keypairs: [{name: secret-key}]\n"
        "servers: [{name: keeper, save_state: false, user_data: data.txt}]\n"
    )
    here, said = Shell(folder), {}

    def run(name: str, *command: str) -> None:
        debug = {"DOWNPOUR_DEBUG": "1", "ANSIBLE_DEBUG": "1", "ANSIBLE_VERBOSITY": "4"}
        done = here.run(*command, check=False, **debug)
        said[name] = f"{done.returncode}\n{done.stdout}\n{done.stderr}"

    run("plan of export", "downpour-export", "plan", "--cloud", "out", "--json", "export.yml")
    run("export", "downpour-export", "--cloud", "out", "export.yml", "out.dpbundle")
    run("export, wrong", "downpour-export", "--cloud", "wrong", "export.yml", "no.dpbundle")
    run("show", "downpour-import", "show", "out.dpbundle")
    run("show, json", "downpour-import", "show", "--json", "out.dpbundle")
    run("verify", "downpour-import", "verify", "out.dpbundle")
    run("import, wrong", "downpour-import", "out.dpbundle", "--cloud", "wrong")
    run("plan", "downpour-import", "plan", "out.dpbundle", "--cloud", "in", "--write-map", "m.yml")
    # Nova gives no server one port twice: the task that has the user data fails.
    run("unpack", "downpour-import", "unpack", "out.dpbundle", "dir")
    resources = folder / "dir" / "playbook" / "resources.yml"
    data = yaml.safe_load(resources.read_text())
    nics = data["resources"]["servers"][0]["nics"]
    nics.append(dict(nics[0]))
    resources.write_text(yaml.safe_dump(data))
    run("import, failing", "downpour-import", "dir", "--cloud", "in", "--edited", "--yes")
    run("import", "downpour-import", "out.dpbundle", "--cloud", "in", "--json")
    secrets = {
        "password of the source": configured["source"]["auth"]["password"],
        "password of the target": configured["target-other"]["auth"]["password"],
        "a wrong password": "a-wrong-password-is-one-too",
        "secret of an application credential": credential.secret,
        "token of the source": source.auth_token,
        "private key": key.private_key.splitlines()[4],
        "administrator's password of a server": admin_password,
        "user data that the server was made with": "made-with-this-secret",
    }
    yield Crossing(said, folder, secrets)
    run("undo", "downpour-import", "undo", "out.dpbundle", "--cloud", "in", "--yes")
    source.compute.delete_server(server.id)
    source.compute.wait_for_delete(server, wait=60)
    source.compute.delete_keypair(key)
    source.identity.delete_application_credential(me, credential)


def forms(secret: str) -> list[bytes]:
    """As it is, in JSON and YAML, in a URL, and in base64 wherever it may begin in it."""
    found = {secret, json.dumps(secret)[1:-1], urllib.parse.quote(secret, safe="")}
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + secret.encode()).decode()
        # The first and last characters also hold bits of the neighbours.
        found.add(coded[4:-4] if shift else coded[:-4])
    return [each.encode() for each in found if len(each) >= 8]


def left(crossing: Crossing) -> Iterator[tuple[str, bytes]]:
    """All that is there afterwards but the configuration, and all that was said."""
    for name, text in crossing.said.items():
        yield f"what was said of: {name}", text.encode()
    for path in crossing.folder.rglob("*"):
        if path.is_file() and path.name not in ("clouds.yaml", "data.txt"):
            yield str(path.relative_to(crossing.folder)), path.read_bytes()
    with open_bundle(crossing.folder / "out.dpbundle") as bundle:
        for file in bundle.manifest.files:
            yield f"bundle: {file.path}", bundle.read_file(file.path)


def test_everything_ran_as_it_was_meant_to(crossing: Crossing) -> None:
    """Otherwise the search would find nothing in nothing."""
    codes = {name: int(text.split("\n")[0]) for name, text in crossing.said.items()}
    failing = {"export, wrong": 6, "import, wrong": 6, "import, failing": 9}
    assert codes == {**dict.fromkeys(codes, 0), **failing}, crossing.said
    names = {name for name, _ in left(crossing)}
    assert {
        "out.dpbundle",
        "out.in/journal.jsonl",
        "out.in/ansible.log",
        "out.in/report.json",
    } <= names
    assert "bundle: playbook/resources.yml" in names
    assert all(len(secret) >= 8 for secret in crossing.secrets.values())


def test_no_secret_is_anywhere(crossing: Crossing) -> None:
    found = [
        f"{kind} in {name}"
        for name, data in left(crossing)
        for kind, secret in crossing.secrets.items()
        for form in forms(secret)
        if form in data
    ]
    assert found == []


def test_user_data_is_where_it_must_be_and_nowhere_else(crossing: Crossing) -> None:
    coded = base64.b64encode(USER_DATA.encode())
    where = {
        name
        for name, data in left(crossing)
        if coded in data or any(form in data for form in forms(SECRET_OF_USER_DATA))
    }
    unpacked = {"dir/manifest.json", "dir/playbook/resources.yml"}
    assert where == {"out.dpbundle", "bundle: playbook/resources.yml", *unpacked}
    assert "server 'keeper'" in crossing.said["import, failing"]  # why is told all the same
    assert (
        "'keeper': its user data goes into the bundle as the file has it"
        in (crossing.said["export"])
    )
    assert "user data, carried as it is: 'keeper'" in crossing.said["show"]
