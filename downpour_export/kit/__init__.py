"""The kit: all that the far side needs to import, for a machine that reaches no index."""

from downpour_export.kit.collect import Kit, KitOptions, make_kit
from downpour_export.kit.far_side import FarSide, this_python, usual_platform

__all__ = ["FarSide", "Kit", "KitOptions", "make_kit", "this_python", "usual_platform"]
