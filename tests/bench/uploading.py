"""An upload as the module does it, in a process that is about nothing else:
``python -m tests.bench.uploading BUNDLE ENTRY``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bundle_spec import open_bundle
from bundle_spec.read.files import BundleFiles
from downpour_cloud import CloudOptions
from downpour_import.cloud import connect
from downpour_import.recreate import RECREATORS, Context, recreate
from downpour_import.state.journal import Journal


def upload(bundle: Path, entry: str) -> None:
    """A bundle's only image into the cloud ``entry``."""
    cloud = connect(CloudOptions(cloud=entry))
    with open_bundle(bundle) as reader, tempfile.TemporaryDirectory() as state:
        (image,) = reader.manifest.resources.images
        context = Context(
            cloud=cloud,
            journal=Journal(Path(state)),
            targets={},
            bundle_uuid=reader.manifest.uuid,
            bundle=BundleFiles(bundle),
            manifest_sha256=reader.manifest_sha256,
        )
        recreate(RECREATORS["image"], context, image)


if __name__ == "__main__":
    upload(Path(sys.argv[1]), sys.argv[2])
