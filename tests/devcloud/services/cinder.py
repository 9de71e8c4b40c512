"""Cinder's API, scheduler and backends in one process: the fake:/ message bus is a class
attribute of its driver, and so reaches exactly that far."""

from __future__ import annotations

import sys
import threading
from typing import Any

from .. import patches
from ..cloud import Cloud
from .http import Application

_running: list[Any] = []


def load(cloud: Cloud) -> Application:
    sys.argv = ["cinder-api", "--config-file", str(cloud.etc / "cinder.conf")]
    from cinder import monkey_patch

    monkey_patch.patch()  # to native threads, by the environment variable the launcher set
    patches.everything()
    _run_in_this_thread()
    _run_without_root()
    from cinder.wsgi import wsgi

    application: Application = wsgi.initialize_application()
    _start_services()
    return application


def _run_in_this_thread() -> None:
    """image_utils hands work to eventlet's thread pool, which answers only to the hub of the
    first thread that used it: with native threads the second transfer would hang for ever."""
    from eventlet import tpool

    def execute(function: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    tpool.execute = execute


def _run_without_root() -> None:
    """Some flows ask for root to run qemu-img; `env` runs it as it is."""
    from cinder import utils

    utils.get_root_helper = lambda: "env"


def _start_services() -> None:
    import os_brick
    from cinder import service
    from cinder.common import constants
    from oslo_config import cfg

    conf = cfg.CONF
    os_brick.setup(conf)
    _report_as_oneself(service.Service)

    def start(binary: str, **options: Any) -> None:
        started = service.Service.create(binary=binary, **options)
        started.devcloud_service_id = service.Service.service_id
        started.start()
        _running.append(started)

    start(constants.SCHEDULER_BINARY)
    for backend in conf.enabled_backends:
        conf.register_opt(cfg.StrOpt("backend_host"), group=backend)
        start(
            constants.VOLUME_BINARY,
            host=f"{conf.host}@{backend}",
            service_name=backend,
            coordination=False,
        )


def _report_as_oneself(service_class: Any) -> None:
    """`service_id` is a class attribute: with several services in one process, all would
    report as the last one and the others be declared dead."""
    report_state = service_class.report_state
    lock = threading.Lock()

    def report_own_state(self: Any) -> None:
        with lock:
            last = service_class.service_id
            service_class.service_id = getattr(self, "devcloud_service_id", last)
            try:
                report_state(self)
            finally:
                service_class.service_id = last

    service_class.report_state = report_own_state
