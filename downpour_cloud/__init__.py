"""The one way to a cloud, the same for both halves: which cloud, session, requests, quotas.

It knows nothing of bundles.  Each half has a class of its own on top of ``Cloud``, which says
what its errors are.
"""

from downpour_cloud.cloud import Cloud, Json, Service
from downpour_cloud.config import CloudOptions, Naming, find_cloud, variables_for_elsewhere
from downpour_cloud.connect import open_connection
from downpour_cloud.errors import CloudError

__all__ = [
    "Cloud",
    "CloudError",
    "CloudOptions",
    "Json",
    "Naming",
    "Service",
    "find_cloud",
    "open_connection",
    "variables_for_elsewhere",
]
