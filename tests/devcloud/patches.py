"""What makes SQLite, the fake:/ message bus and a machine without root good enough.

Each function changes a library inside the process that calls it. Imports are in the
functions because the services must settle other things before these libraries load.
"""

from __future__ import annotations

import threading
import time
from typing import Any


def everything() -> None:
    databases()
    messaging()
    privileges()


def databases() -> None:
    """Writers wait for each other instead of failing.

    A transaction that reads first and writes later gets "database is locked" at once, without
    the timeout, if another one wrote in between. So writers take the lock when they begin.
    """
    from oslo_db import exception
    from oslo_db.sqlalchemy import enginefacade, exc_filters
    from sqlalchemy import engine, event, exc

    factory = enginefacade._TransactionFactory
    create_session, create_connection = factory._create_session, factory._create_connection

    def writer(self: Any) -> Any:
        plain = self._writer_engine
        if getattr(self, "_devcloud_plain", None) is not plain:
            self._devcloud_plain = plain
            self._devcloud_writer = plain.execution_options(devcloud_writer=True)
        return self._devcloud_writer

    def create_locking_session(self: Any, mode: Any, bind: Any = None) -> Any:
        if not self._started:
            self._start()
        if bind is None and mode is enginefacade._WRITER:
            bind = writer(self)
        return create_session(self, mode, bind=bind)

    def create_locking_connection(self: Any, mode: Any) -> Any:
        if not self._started:
            self._start()
        if mode is enginefacade._WRITER:
            return writer(self).connect()
        return create_connection(self, mode)

    factory._create_session = create_locking_session
    factory._create_connection = create_locking_connection

    def begin(connection: Any) -> None:
        # oslo.db begins by itself for engines without our option, and leaves this mark.
        if "in_transaction" in connection.info:
            return
        if connection.get_execution_options().get("devcloud_writer"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.info["in_transaction"] = True

    event.listen(engine.Engine, "begin", begin)

    # The services retry a deadlock by themselves; "locked" is SQLite's word for it.
    def locked(error: Any, match: Any, engine_name: str, is_disconnect: bool) -> None:
        raise exception.DBDeadlock(error)

    exc_filters.filters("sqlite", exc.OperationalError, r".*database is locked.*")(locked)


def messaging() -> None:
    """Wake who waits for a message when one comes: the fake driver looks every 50 ms."""
    from oslo_messaging._drivers import base, impl_fake

    delivered = threading.Condition()

    def poll(self: Any, timeout: float | None = None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._stopped.is_set():
            with delivered:
                for target in self._targets:
                    exchange = self._exchange_manager.get_exchange(target.exchange)
                    context, message, *reply = exchange.poll(target, self._pool)
                    if message is not None:
                        return impl_fake.FakeIncomingMessage(context, message, *reply)
                # At most a second, to notice _stopped, which notifies nobody.
                left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
                if left <= 0:
                    return None
                delivered.wait(left)
        return None

    deliver = impl_fake.FakeExchange.deliver_message

    def deliver_and_wake(self: Any, *args: Any, **kwargs: Any) -> None:
        with delivered:
            deliver(self, *args, **kwargs)
            delivered.notify_all()

    impl_fake.FakeListener.poll = base.batch_poll_helper(poll)
    impl_fake.FakeExchange.deliver_message = deliver_and_wake


def privileges() -> None:
    """Call "privileged" functions in this process: otherwise `sudo privsep-helper` is run."""
    from oslo_privsep.priv_context import PrivContext

    initialise = PrivContext.__init__

    def initialise_as_server(self: Any, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        self.set_client_mode(False)

    PrivContext.__init__ = initialise_as_server
