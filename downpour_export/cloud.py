"""The source cloud, with the exporter's errors for what it refuses."""

from __future__ import annotations

import email.utils
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bundle_spec.model import Source
from downpour_cloud import Cloud, CloudOptions, open_connection
from downpour_export.errors import Busy, CaptureError, OverQuota, Unanswered


class SourceCloud(Cloud):
    """The source as one project's token sees it.  Every method raises CaptureError: Busy for 409,
    OverQuota for 413, Unanswered where nothing tells whether the request was obeyed."""

    side = "source"

    def failure(self, message: str, *, where: str, status: int | None) -> CaptureError:
        # Cinder answers 413 when a quota is used up (Block Storage API, "Faults").
        kind = {409: Busy, 413: OverQuota}.get(status or 0, CaptureError)
        if status is None or status >= 500:
            kind = Unanswered
        return kind(message, where=where)

    def source(self) -> Source:
        """Where the bundle comes from, for the manifest."""
        return Source(
            auth_url=self.auth_url,
            region=self._connection.config.region_name or None,
            project_id=self.project_id,
            project_name=self._connection.current_project.name or "",
        )


def dated(answer: Any) -> datetime:
    """When an answer was made, by the cloud's clock; by ours where it does not tell (RFC 9110,
    6.6.1)."""
    try:
        return email.utils.parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError, OverflowError):
        return datetime.now(UTC)


Connect = Callable[[CloudOptions, Callable[[str], None]], SourceCloud]
"""Opens the source cloud: ``connect``, or in a test a function that gives a fake."""


def connect(options: CloudOptions, tell: Callable[[str], None] = lambda text: None) -> SourceCloud:
    """Open the source cloud and fetch a token.

    ``tell`` is given a sentence when the cloud does not answer for a while.  Raises CloudError.
    """
    return SourceCloud(open_connection(options, "source", "downpour-export", tell).connection)
