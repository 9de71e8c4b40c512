"""The plan of an export: what is carried, what the target must have already, which disks are read,
and what is impossible.

Pure: a function of the resource file and the inventory, before anything is changed.
"""

from downpour_export.plan.make import make_plan
from downpour_export.plan.model import Consistency, DiskCapture, Plan, StopMode

__all__ = ["Consistency", "DiskCapture", "Plan", "StopMode", "make_plan"]
