"""Everything that the run will need from the target, decided before anything is written.

``survey`` and ``limits`` ask the target and ``proposal`` writes a file; all else is pure.
"""

from downpour_import.preflight.fit import FitInput, FitResult, fit, port_address_ref
from downpour_import.preflight.hostnames import dns_name_ref, hostname_ref
from downpour_import.preflight.lost import lost_attributes
from downpour_import.preflight.names import formulas, namesakes
from downpour_import.preflight.quota import quota_faults
from downpour_import.preflight.resolve import preflight
from downpour_import.preflight.result import Preflight, Targets
from downpour_import.preflight.texts import text_faults, text_warnings

__all__ = [
    "FitInput",
    "FitResult",
    "Preflight",
    "Targets",
    "dns_name_ref",
    "fit",
    "formulas",
    "hostname_ref",
    "lost_attributes",
    "namesakes",
    "port_address_ref",
    "preflight",
    "quota_faults",
    "text_faults",
    "text_warnings",
]
