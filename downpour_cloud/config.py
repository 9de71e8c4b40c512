"""Which cloud: ``clouds.yaml`` and the environment, read as every OpenStack client reads them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from openstack import exceptions as sdk_exceptions
from openstack.config import OpenStackConfig
from openstack.config.loader import CONFIG_FILES, SECURE_FILES

from downpour_cloud.errors import CloudError
from downpour_cloud.session import RetryingSession

CONFIG_VARIABLE = "OS_CLIENT_CONFIG_FILE"
SECURE_VARIABLE = "OS_CLIENT_SECURE_FILE"


@dataclass(frozen=True)
class Naming:
    """With what a person names the cloud, and a clouds.yaml, to the program that runs."""

    cloud: str = "--cloud or OS_CLOUD"
    config_file: str = "--os-client-config"


@dataclass(frozen=True)
class CloudOptions:
    """Which cloud, as every OpenStack client names it.  None: OS_CLOUD, OS_*, clouds.yaml."""

    cloud: str | None = None
    region: str | None = None
    config_file: str | None = None
    naming: Naming = Naming()

    @property
    def name(self) -> str:
        """What to call the cloud in a message."""
        return self.cloud or "the cloud of the environment"


def find_cloud(options: CloudOptions) -> OpenStackConfig:
    """The configuration that has the cloud; no request is sent.

    An explicit file wins over OS_CLIENT_CONFIG_FILE.  Raises CloudError when the file or the
    cloud does not exist.
    """
    _refuse_what_is_no_file()
    path = options.config_file
    if path is not None and not Path(path).is_file():
        raise CloudError("there is no such file", where=path, remedy="name a clouds.yaml")
    try:
        with _variable(CONFIG_VARIABLE, path):
            loader = OpenStackConfig(session_constructor=RetryingSession)
        # Without any configuration openstacksdk lists one cloud, "defaults".
        names = [name for name in loader.get_cloud_names() if name != "defaults"]
    except sdk_exceptions.SDKException as exc:
        raise CloudError(f"cannot read the configuration: {exc}", where=path) from exc
    found_in = loader.config_filename or "no clouds.yaml was found"
    # Of a configuration with one cloud only, this is the one; "defaults" is none.
    wanted = options.cloud or loader.default_cloud
    naming = options.naming
    known = f"it has {', '.join(sorted(names))}"
    if not names:
        known = f"name its clouds.yaml with {naming.config_file}"
    if wanted in (None, "defaults"):
        raise CloudError(
            "no cloud is named",
            where=found_in,
            remedy=f"name one with {naming.cloud}: {known}"
            if names
            else f"name one with {naming.cloud}, and its clouds.yaml with {naming.config_file}; "
            "or set OS_AUTH_URL and so on",
        )
    if wanted not in names:
        near = difflib.get_close_matches(wanted, names, 1)
        hint = f"did you mean {near[0]}? {known}" if near and len(names) > 1 else known
        raise CloudError(f"there is no cloud {wanted!r}", where=found_in, remedy=hint)
    return loader


def _refuse_what_is_no_file() -> None:
    """Raises CloudError for a FIFO or the like under a name that openstacksdk would open: it would
    wait for ever."""
    for name in (*CONFIG_FILES, *SECURE_FILES):
        path = Path(name)
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise CloudError("this is no file", where=str(path), remedy="remove it")


def variables_for_elsewhere() -> dict[str, str]:
    """Variables by which a command that runs in another directory finds the cloud of this one.

    ``OS_CLOUD`` is empty where one must be named.
    """
    variables = {"OS_CLOUD": os.environ.get("OS_CLOUD", "")}
    if not variables["OS_CLOUD"] and "OS_AUTH_URL" in os.environ:
        return {}
    with suppress(sdk_exceptions.SDKException):
        loader = OpenStackConfig()
        files = {
            CONFIG_VARIABLE: loader.config_filename,
            SECURE_VARIABLE: loader.secure_config_filename,
        }
        variables |= {name: str(Path(path).resolve()) for name, path in files.items() if path}
    return variables


@contextmanager
def _variable(name: str, value: str | None) -> Iterator[None]:
    """Set an environment variable within the block; None leaves it as it is."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if value is not None:
            os.environ.pop(name)
            if before is not None:
                os.environ[name] = before
