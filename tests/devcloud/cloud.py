"""One cloud: its definition, its folder, its ports and accounts."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from .clouds import CLOUDS, CloudSpec
from .errors import DevcloudError

HOST = "127.0.0.1"
DEFAULT_PORT_BASE = 15000
PORTS_PER_CLOUD = 10
SERVICES = ("keystone", "glance", "placement", "neutron", "cinder", "nova")
DATABASES = (*SERVICES, "nova_cell0", "nova_api")

_FOLDERS = (
    "etc",
    "db",
    "log",
    "run",
    "lock",
    "cache",
    "images",
    "volumes",
    "instances",
    "plugins",
    "keystone/fernet",
    "keystone/credential",
    "glance/staging",
    "glance/tasks",
    "cinder/conversion",
    "cinder/coordination",
    "neutron",
    "nova",
)


@dataclass(frozen=True)
class Account:
    """A user with a project of the same name."""

    name: str
    password: str
    entry: str
    """Its entry in clouds.yaml."""


@dataclass(frozen=True)
class ServiceProcess:
    """How a service's process is found again: a pid alone could be somebody else's by now."""

    service: str
    pid: int
    start_time: int
    owner: int | None = None


@dataclass(frozen=True)
class Settings:
    """What is decided when a cloud is made, and stays (cloud.json in its folder)."""

    name: str
    root: str
    port_base: int
    service_password: str
    admin_password: str
    demo_password: str
    other_password: str


@dataclass(frozen=True)
class Cloud:
    spec: CloudSpec
    root: Path
    settings: Settings

    # -- making and finding one ---------------------------------------------------------
    @classmethod
    def create(cls, spec: CloudSpec, root: Path, port_base: int) -> Cloud:
        for folder in _FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
        settings = Settings(
            name=spec.name,
            root=str(root),
            port_base=port_base,
            service_password=secrets.token_hex(16),
            admin_password=secrets.token_hex(16),
            demo_password=secrets.token_hex(16),
            other_password=secrets.token_hex(16),
        )
        write_private(root / "cloud.json", json.dumps(asdict(settings), indent=1))
        return cls(spec, root, settings)

    @classmethod
    def load(cls, root: Path) -> Cloud:
        content = (root / "cloud.json").read_text()
        try:
            settings = Settings(**json.loads(content))
        except (TypeError, ValueError) as error:
            raise DevcloudError(
                f"{root} was made by another version of devcloud: run `down --wipe` and `up`."
            ) from error
        if settings.root != str(root):
            raise DevcloudError(
                f"{root} was made as {settings.root}, and its databases hold that path:"
                " move it back, or run `down --wipe` and `up` to make it again."
            )
        return cls(CLOUDS[settings.name], root, settings)

    @property
    def name(self) -> str:
        return self.spec.name

    # -- for tests: the data itself -----------------------------------------------------
    def volume_file(self, volume_id: str) -> Path:
        """The volume's blocks (a sparse raw file); write here to give a volume known bytes."""
        return self.root / "volumes" / f"volume-{volume_id}"

    def snapshot_file(self, snapshot_id: str) -> Path:
        return self.root / "volumes" / f"snapshot-{snapshot_id}"

    def image_file(self, image_id: str) -> Path:
        return self.root / "images" / image_id

    def server_disk(self, server_id: str) -> Path:
        """The root disk of a server booted from an image, in that image's own format."""
        return self.root / "instances" / server_id / "disk"

    # -- accounts -----------------------------------------------------------------------
    @property
    def demo(self) -> Account:
        return Account("demo", self.settings.demo_password, self.name)

    @property
    def other(self) -> Account:
        return Account("other", self.settings.other_password, f"{self.name}-other")

    @property
    def admin(self) -> Account:
        """Used by the set-up only: what tests and demos do, they do as `demo` or `other`."""
        return Account("admin", self.settings.admin_password, f"{self.name}-admin")

    @property
    def tenants(self) -> tuple[Account, ...]:
        return self.demo, self.other

    @property
    def accounts(self) -> tuple[Account, ...]:
        return self.demo, self.other, self.admin

    # -- addresses ----------------------------------------------------------------------
    def port(self, service: str) -> int:
        return self.settings.port_base + SERVICES.index(service)

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.port(service)}"

    @property
    def auth_url(self) -> str:
        return self.url("keystone") + "/v3"

    # -- files --------------------------------------------------------------------------
    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def plugins(self) -> Path:
        return self.root / "plugins"

    def database_file(self, name: str) -> Path:
        return self.root / "db" / name

    def database_url(self, name: str) -> str:
        # The timeout is how long a writer waits for another one; see patches.py.
        return f"sqlite:///{self.database_file(name)}?timeout=60"

    @property
    def seeded_mark(self) -> Path:
        """Exists once the set-up is complete; a cloud without it is made anew."""
        return self.root / "seeded"

    def log_file(self, service: str) -> Path:
        return self.root / "log" / f"{service}.log"

    @property
    def requests_file(self) -> Path:
        """Every request to any service, a line each: method, path, user agent."""
        return self.root / "log" / "requests"

    def output_file(self, service: str) -> Path:
        """What the process printed: tracebacks of a failed start are here."""
        return self.root / "log" / f"{service}.out"


def write_private(path: Path, text: str) -> None:
    """Write a file for this user only; it is whole or not there at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.replace(path)
