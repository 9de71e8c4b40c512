"""What goes, what must stand on the target by itself, which disks are read, and what cannot be.

Pure: made of the resource file and the inventory, before anything is touched.
"""

from downpour_export.plan.make import make_plan
from downpour_export.plan.model import Consistency, DiskCapture, Plan

__all__ = ["Consistency", "DiskCapture", "Plan", "make_plan"]
