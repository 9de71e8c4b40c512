"""The kit: wheels of downpour and its dependencies, for an import on a machine without internet.

The far side is that machine; it may have another Python, C library and processor than this one.
"""

from downpour_export.kit.collect import Kit, KitOptions, make_kit
from downpour_export.kit.far_side import FarSide, this_python, usual_platform

__all__ = ["FarSide", "Kit", "KitOptions", "make_kit", "this_python", "usual_platform"]
