"""Open a connection: configuration, session, first token."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import openstack
from keystoneauth1 import exceptions as ks_exceptions
from openstack import exceptions as sdk_exceptions

from downpour_cloud.config import CloudOptions, find_cloud
from downpour_cloud.errors import CloudError
from downpour_cloud.session import brief


@dataclass(frozen=True)
class Opened:
    """``config_file``, ``secure_file``: the files that were read, None where there are none."""

    connection: openstack.connection.Connection
    config_file: str | None
    secure_file: str | None


def open_connection(
    options: CloudOptions,
    side: str,
    app_name: str,
    tell: Callable[[str], None] = lambda text: None,
    *,
    met: bool = False,
) -> Opened:
    """Connect to the cloud and fetch a token.

    ``side``: what errors call the cloud, ``source`` or ``target``.  ``app_name``: the client's name
    in the User-Agent header.  ``tell``, ``met``: see ``RetryingSession``.  Raises CloudError.
    """
    # Our errors report what fails; the warnings of these libraries would go to stderr beside them.
    for name in ("keystoneauth", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    loader = find_cloud(options)
    try:
        config = loader.get_one(cloud=options.cloud, region_name=options.region, app_name=app_name)
        connection = openstack.connection.Connection(config=config)
        connection.session.tell, connection.session.met = tell, met
        # Within one run only the first process tells it.
        connection.session.tells_places = not met
        connection.authorize()
    except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
        raise CloudError(
            f"cannot use the {side} cloud: {brief(exc)}",
            where=options.name,
            remedy=f"check {options.naming.cloud}, and clouds.yaml, with `openstack token issue`",
        ) from exc
    return Opened(connection, loader.config_filename, loader.secure_config_filename)
