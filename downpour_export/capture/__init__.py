"""From a plan's disks to bytes in a bundle, through temporary objects, which are deleted again."""

from downpour_export.capture.capture import Limits, capture
from downpour_export.capture.copy import Captured

__all__ = ["Captured", "Limits", "capture"]
