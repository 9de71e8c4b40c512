"""From a plan's disks to bytes in a bundle, by way of temporary objects that always go again."""

from downpour_export.capture.capture import Captured, capture

__all__ = ["Captured", "capture"]
