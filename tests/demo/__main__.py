"""make demo: a small tenant leaves one real cloud in a bundle and stands up again in another."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests import plain_tenant
from tests.connect import connect
from tests.devcloud import Devcloud, DevcloudError

HERE = Path(".demo")
BIN = Path(sys.executable).parent
BEGAN = time.monotonic()


def say(text: str) -> None:
    seconds = int(time.monotonic() - BEGAN)
    print(f"\n== {seconds // 60}:{seconds % 60:02}  {text}", flush=True)


def run(command: str) -> None:
    """Show a command as a user would type it, and run it in the demo's directory."""
    print(f"$ {command}", flush=True)
    env = {**os.environ, "PATH": f"{BIN.resolve()}:{os.environ.get('PATH', '')}"}
    subprocess.run(shlex.split(command), cwd=HERE, env=env, check=True)


def make_tenant(clouds: Devcloud, directory: Path, *, other: bool = False) -> None:
    """The tenant in the cloud ``source``, and a ``clouds.yaml`` in ``directory``.

    ``other``: in the second project; its accounts are then called ``source`` and ``target``.
    """
    source = clouds.cloud("source")
    accounts = yaml.safe_load(clouds.clouds_yaml.read_text())["clouds"]
    if other:
        accounts = {name: accounts[f"{name}-other"] for name in ("source", "target")}
    directory.mkdir(mode=0o700, exist_ok=True)
    # openstacksdk finds a clouds.yaml in the working directory.
    path = directory / "clouds.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"clouds": accounts}))
    made = plain_tenant.build(
        connect(clouds, "source-other" if other else "source"),
        lambda line: print(f"made: {line}", flush=True),
    )
    plain_tenant.write_disks(source, made)


def demo(clouds: Devcloud) -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    say("A small tenant is made in the source cloud")
    make_tenant(clouds, HERE)
    say("query: find servers, and write down that they shall go")
    run("downpour-export query --cloud source --server-name '*-1' export.yml")
    print((HERE / "export.yml").read_text(), end="")
    say("export: out of the source, into one file; all that they depend on is found")
    run("downpour-export export.yml out.dpbundle --cloud source")
    say("import: the file was carried over, and the tenant stands up again in the target")
    run("downpour-import out.dpbundle --cloud target")
    say("uuids.csv: what was what")
    print((HERE / "out.target" / "uuids.csv").read_text(), end="")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the clouds up")
    parser.add_argument(
        "--tenant",
        type=Path,
        metavar="DIR",
        help="only make the tenant in the cloud source, which is up, and DIR with a clouds.yaml",
    )
    parser.add_argument("--other", action="store_true", help="with --tenant: in the other project")
    options = parser.parse_args()
    clouds = Devcloud()
    try:
        if options.tenant:
            make_tenant(clouds, options.tenant, other=options.other)
            return 0
        return whole(clouds, keep=options.keep)
    except DevcloudError as exc:
        print(f"error: {exc}", file=sys.stderr)
    except subprocess.CalledProcessError as exc:
        print(f"error: the command above ended with {exc.returncode}", file=sys.stderr)
    return 1


def whole(clouds: Devcloud, *, keep: bool) -> int:
    done = False
    try:
        say("Two OpenStack clouds are started on this machine")
        clouds.down(wipe=True)
        clouds.up(owner=None if keep else os.getpid())
        demo(clouds)
        done = True
    finally:
        if keep and done:
            say("The clouds are still up")
            print(
                f"  cd {HERE}\n"
                f"  export PATH={BIN.resolve()}:$PATH\n"
                "  downpour-import show out.dpbundle\n"
                f"  {clouds.venv}/bin/openstack --os-cloud target server list\n"
                f"  make -C {HERE.resolve().parent} down      # stops them"
            )
        else:
            clouds.down()
    say("Done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
