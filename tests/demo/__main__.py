"""make demo: a small tenant leaves one real cloud in a bundle and stands up again in another."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import tenant
from tests.connect import connect
from tests.devcloud import Devcloud, DevcloudError

HERE = Path(".demo")
BIN = Path(sys.executable).parent


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run(command: str, **environment: str) -> None:
    """Show a command as a user would type it, and run it in the demo's directory."""
    shown = " ".join([*(f"{name}={value}" for name, value in environment.items()), command])
    print(f"$ {shown}", flush=True)
    path = f"{BIN.resolve()}:{os.environ.get('PATH', '')}"
    env = {**os.environ, **environment, "PATH": path}
    subprocess.run(shlex.split(command), cwd=HERE, env=env, check=True)


def demo(clouds: Devcloud) -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(mode=0o700)
    # openstacksdk finds a clouds.yaml in the working directory.
    shutil.copy(clouds.clouds_yaml, HERE / "clouds.yaml")
    say("A small tenant is made in the source cloud")
    cloud = connect(clouds, "source")
    with tempfile.TemporaryDirectory() as scratch:
        made = tenant.build(
            cloud, Path(scratch), on_progress=lambda line: print(f"  {line}", flush=True)
        )
    tenant.write_disks(clouds.cloud("source"), made)
    (HERE / "export.yml").write_text(tenant.EXPORT_YML)
    say("export.yml: what shall go; all that it depends on is found")
    print(tenant.EXPORT_YML)
    say("Out of the source, into one file")
    run("downpour-export export.yml out.dpbundle", OS_CLOUD="source")
    say("The file is carried over, and the tenant stands up again in the target")
    run("downpour-import out.dpbundle --cloud target")
    shutil.copy(HERE / "out.target" / "uuids.csv", HERE / "uuids.csv")
    say("uuids.csv: what was what")
    print((HERE / "uuids.csv").read_text())


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the clouds up")
    keep = parser.parse_args().keep
    clouds = Devcloud()
    done = False
    try:
        say("Two OpenStack clouds are started on this machine (the first time takes minutes)")
        clouds.down(wipe=True)
        clouds.up(owner=None if keep else os.getpid())
        demo(clouds)
        done = True
    except DevcloudError as exc:
        print(f"error: {exc}", file=sys.stderr)
    except subprocess.CalledProcessError as exc:
        print(f"error: the command above ended with {exc.returncode}", file=sys.stderr)
    finally:
        if keep and done:
            say("The clouds are still up")
            print(
                f"  cd {HERE}\n"
                f"  export PATH={BIN.resolve()}:$PATH OS_CLIENT_CONFIG_FILE={clouds.clouds_yaml}\n"
                "  downpour-import show out.dpbundle\n"
                f"  {clouds.venv}/bin/openstack --os-cloud target server list\n"
                f"  make -C {HERE.resolve().parent} down      # stops them"
            )
        else:
            clouds.down()
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
