"""The command line: python3 -m tests.devcloud COMMAND"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import process
from .cloud import DEFAULT_PORT_BASE, SERVICES, Account
from .clouds import CLOUDS
from .devcloud import Devcloud
from .errors import DevcloudError

EPILOG = """\
first steps:
  %(prog)s up                    both clouds, in about half a minute
  eval "$(%(prog)s env source)"  the tenant `demo` of the cloud `source`
  .devcloud/venv/bin/openstack server list        ... or any OpenStack client
  %(prog)s down
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    devcloud = Devcloud(options.state)
    try:
        code: int = options.run(devcloud, options)
    except DevcloudError as error:
        print(f"devcloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _install(devcloud: Devcloud, _: argparse.Namespace) -> int:
    devcloud.install()
    return 0


def _needs(devcloud: Devcloud, _: argparse.Namespace) -> int:
    devcloud.require_machine()
    return 0


def _up(devcloud: Devcloud, options: argparse.Namespace) -> int:
    devcloud.up(
        options.clouds, owner=options.owner, port_base=options.port_base, debug=options.debug
    )
    print(f'for a client: eval "$(python3 -m {process.PACKAGE} env source)"', file=sys.stderr)
    return 0


def _down(devcloud: Devcloud, options: argparse.Namespace) -> int:
    devcloud.down(options.clouds, wipe=options.wipe)
    return 0


def _status(devcloud: Devcloud, _: argparse.Namespace) -> int:
    row = "{:<8} {:<6} {:<26} {:>9}  {}".format
    print(row("CLOUD", "STATE", "KEYSTONE", "MEMORY", "REMARK"))
    statuses = devcloud.status()
    for status in statuses:
        state = "up" if status.is_up else "down" if status.is_down else "broken"
        remarks = []
        if state == "broken":
            remarks.append(f"not running: {', '.join(status.missing)}")
        if status.owner is not None:
            remarks.append(f"ends with process {status.owner}")
        memory = f"{status.resident_mib} MiB" if not status.is_down else "-"
        print(row(status.name, state, status.auth_url or "-", memory, "; ".join(remarks)).rstrip())
    return 0 if all(status.is_up for status in statuses) else 1


def _env(devcloud: Devcloud, options: argparse.Namespace) -> int:
    entries = [a.entry for name in CLOUDS for a in _accounts_of(devcloud, name)]
    if options.entry not in entries:
        known = ", ".join(entries) or "none: run `up` first"
        raise DevcloudError(f"clouds.yaml has no entry {options.entry!r} (it has {known}).")
    # Variables of another cloud would win over clouds.yaml.
    for name in sorted(os.environ):
        if name.startswith("OS_") and name not in ("OS_CLIENT_CONFIG_FILE", "OS_CLOUD"):
            print(f"unset {name}")
    print(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(devcloud.clouds_yaml))}")
    print(f"export OS_CLOUD={options.entry}")
    return 0


def _accounts_of(devcloud: Devcloud, name: str) -> Sequence[Account]:
    try:
        return devcloud.cloud(name).accounts
    except DevcloudError:
        return ()


def _logs(devcloud: Devcloud, options: argparse.Namespace) -> int:
    cloud = devcloud.cloud(options.cloud)
    services = [options.service] if options.service else SERVICES
    files = [f(s) for s in services for f in (cloud.output_file, cloud.log_file)]
    existing = [str(file) for file in files if file.exists()]
    follow = ["-F"] if options.follow else []
    return subprocess.run(["tail", "-n", str(options.lines), *follow, *existing]).returncode


def _accept(devcloud: Devcloud, options: argparse.Namespace) -> int:
    names = options.clouds or list(CLOUDS)
    down = [s.name for s in devcloud.status() if s.name in names and not s.is_up]
    if down:
        raise DevcloudError(f"not up: {', '.join(down)}; run `up` first.")
    running = []
    for name in names:  # side by side: each line of output begins with the cloud's name
        cloud = devcloud.cloud(name)
        command = process.module_command(devcloud.venv, "acceptance", str(cloud.root))
        env = process.environment(cloud, devcloud.venv)
        running.append(subprocess.Popen(command, env=env))
    return max(one.wait() for one in running)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python3 -m {process.PACKAGE}",
        description="Two real OpenStack clouds on this machine's loopback: Keystone, Glance,"
        " Placement, Neutron, Cinder and Nova from PyPI, without root, in one directory.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="directory that holds everything (default: $DEVCLOUD_STATE, or .devcloud)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    def clouds(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "clouds",
            nargs="*",
            metavar="CLOUD",
            help=f"{' or '.join(CLOUDS)}; all when none is given",
        )

    command("install", _install, "make the cloud venv and the empty databases, if not there")
    command("needs", _needs, "check that this machine has what the clouds need")
    up = command("up", _up, "start clouds, installing and making them first when needed")
    clouds(up)
    up.add_argument(
        "--owner",
        type=int,
        metavar="PID",
        help="the processes started now end by themselves when this process is gone",
    )
    up.add_argument(
        "--port-base",
        type=int,
        metavar="PORT",
        help=f"first port of the first cloud, for a cloud made now (default {DEFAULT_PORT_BASE})",
    )
    up.add_argument("--debug", action="store_true", help="debug lines in the services' logs")
    down = command("down", _down, "stop clouds; what is in them stays for the next up")
    clouds(down)
    down.add_argument("--wipe", action="store_true", help="delete what is in them, too")
    command("status", _status, "show which clouds are up; exit status 0 if all are")
    env = command("env", _env, "print shell lines that select an account of clouds.yaml")
    env.add_argument("entry", metavar="CLOUD", help="e.g. source, source-other, source-admin")
    logs = command("logs", _logs, "show the end of the services' logs")
    logs.add_argument("cloud", metavar="CLOUD")
    logs.add_argument("service", nargs="?", choices=SERVICES, metavar="SERVICE")
    logs.add_argument("-n", "--lines", type=int, default=30, help="how many (default 30)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as they grow")
    accept = command("accept", _accept, "try out running clouds as a plain tenant")
    clouds(accept)
    return parser
