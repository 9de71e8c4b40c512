"""The target cloud, with the importer's errors for its refusals and failures."""

from __future__ import annotations

from collections.abc import Callable

from bundle_spec.text import as_word
from downpour_cloud import Cloud, CloudOptions, open_connection
from downpour_import.errors import AnswerLost, RecreateError, Refused, TargetLost


class TargetCloud(Cloud):
    """The target as one project's token sees it.

    Every method raises RecreateError when the cloud fails, Refused when it refuses, TargetLost when
    it is gone, and AnswerLost when only a look at the target tells whether it did what it was asked
    to.
    """

    side = "target"
    config_file: str | None = None
    """The clouds.yaml that was read."""
    secure_file: str | None = None
    """The secure.yaml that was read."""

    @property
    def project(self) -> str:
        """The project for a person: its ID, and its name where the configuration has it."""
        name = self._connection.current_project.name
        project_id = as_word(self.project_id)
        return f"{as_word(name)} ({project_id})" if name else project_id

    def failure(self, message: str, *, where: str, status: int | None) -> RecreateError:
        if status == 401:
            # A new token was fetched before this answer came.
            return self.lost(message, where=where)
        if status is not None and status < 500:
            return Refused(message, where=where, status=status)
        remedy = "run the same command again" if status is None else None
        return RecreateError(message, where=where, remedy=remedy)

    def unanswered(self, message: str, *, where: str, status: int | None) -> AnswerLost:
        # A service that answers 500 itself is through with the request.
        return AnswerLost(message, where=where, late=status != 500)

    def lost(self, message: str, *, where: str) -> TargetLost:
        return TargetLost(message, where=where, remedy="run the same command again")


def connect(
    options: CloudOptions, tell: Callable[[str], None] = lambda text: None, *, met: bool = False
) -> TargetCloud:
    """Open the target cloud and fetch a token.

    ``tell`` gets a sentence when the cloud must be waited for.  ``met``: the cloud has answered
    this run before, so that an outage is waited out.  Raises CloudError.
    """
    opened = open_connection(options, "target", "downpour-import", tell, met=met)
    cloud = TargetCloud(opened.connection)
    cloud.config_file, cloud.secure_file = opened.config_file, opened.secure_file
    return cloud
