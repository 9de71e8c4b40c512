"""The importer's branch of the error tree (``bundle_spec.errors`` is its root)."""

from __future__ import annotations

from bundle_spec.errors import DownpourError, Faults


class MappingError(DownpourError):
    """The mapping file has a mistake."""

    exit_code = 3


class TargetError(DownpourError):
    """The target lacks something that the bundle needs; nothing was written."""

    exit_code = 8


class RecreateError(DownpourError):
    """The target refused or failed while resources were made."""

    exit_code = 9


class Refused(RecreateError):
    """The target refused a request, and made nothing.  ``status``: of HTTP, 400 to 499."""

    def __init__(self, message: str, *, where: str, status: int):
        super().__init__(message, where=where)
        self.status = status


class AnswerLost(RecreateError):
    """A request that changes something was sent, and nothing tells whether it was carried out.

    ``late``: it may still be under way, so that its effect comes later.
    """

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        remedy: str | None = "run the same command again",
        late: bool = True,
    ):
        super().__init__(message, where=where, remedy=remedy)
        self.late = late


class MadeInVain(RecreateError):
    """What was made could not be completed, and is deleted; the same may succeed with another."""


class TargetLost(RecreateError):
    """The target does not answer any more, or not to these credentials: nothing else would be made
    either."""


class RunEnded(RecreateError):
    """Nothing was tried, because an error before it ended the run."""


class ResultError(DownpourError):
    """The run ended, but what stands in the target differs from the manifest."""

    exit_code = 10


class StateError(DownpourError):
    """The state directory belongs to another bundle, cloud, project or user, or is damaged."""

    exit_code = 11


class MappingFaults(Faults, MappingError):
    pass


class TargetFaults(Faults, TargetError):
    pass


class RecreateFaults(Faults, RecreateError):
    pass


class ResultFaults(Faults, ResultError):
    pass
