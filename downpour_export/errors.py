"""The exporter's branch of the error tree (``bundle_spec.errors`` is its root)."""

from __future__ import annotations

from bundle_spec.errors import DownpourError, Faults


class ResourceFileError(DownpourError):
    """One mistake in a resource file, with its line and column."""

    exit_code = 3


class PlanError(DownpourError):
    """What the resource file asks for cannot be carried as asked."""

    exit_code = 3


class CaptureError(DownpourError):
    """The source cloud failed while something was read or captured."""

    exit_code = 7


class OverQuota(CaptureError):
    """The source's quota has no room for a temporary object."""


class Busy(CaptureError):
    """The source refuses for now: something else is going on with the resource (409)."""


class Unanswered(CaptureError):
    """The source does not say what became of a request, which may have been obeyed."""


class TooMuch(CaptureError):
    """The source sends more bytes of an image than it announced."""


class KitError(DownpourError):
    """The wheels of a kit could not be collected."""

    exit_code = 13


class StillAlive(DownpourError):
    """An export needs what ``cleanup`` would remove, or did so a few minutes ago."""

    exit_code = 15


class ResourceFileFaults(Faults, ResourceFileError):
    pass


class PlanFaults(Faults, PlanError):
    pass


class CaptureFaults(Faults, CaptureError):
    pass


class StillAliveFaults(Faults, StillAlive):
    pass
