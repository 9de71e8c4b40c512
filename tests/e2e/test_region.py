"""Clouds with several regions: the one that is named is the one that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bundle_spec import open_bundle
from tests.e2e.conftest import Exported, Shell

REGION = "RegionTwo"


@pytest.fixture(params=["source", "target"])
def cloud(request: pytest.FixtureRequest, connect: Any) -> Iterator[str]:
    """A cloud whose catalog has a second region, with the same services."""
    name: str = request.param
    identity = connect(f"{name}-admin").identity
    identity.create_region(id=REGION)
    made = [
        identity.create_endpoint(
            service_id=each.service_id, interface=each.interface, url=each.url, region_id=REGION
        )
        for each in list(identity.endpoints())
    ]
    yield name
    for endpoint in made:
        identity.delete_endpoint(endpoint)
    identity.delete_region(REGION)


def test_the_region_that_is_named_is_asked(shell: Shell, exported: Exported, cloud: str) -> None:
    (shell.directory / "region.yml").write_text("keypairs:\n  - name: demo-key\n")
    config = yaml.safe_load((shell.directory / "clouds.yaml").read_text())
    for entry in config["clouds"].values():
        entry["regions"] = [entry.pop("region_name", None) or REGION, REGION]
    (shell.directory / "regions.yaml").write_text(yaml.safe_dump(config))
    if cloud == "source":
        command = ["downpour-export", "--cloud", cloud, "region.yml", "region.dpbundle"]
    else:
        command = ["downpour-import", "plan", "out.dpbundle", "--cloud", "target-other"]
    command += ["--os-client-config", "regions.yaml"]
    shell.run(*command, "--region", REGION)
    if cloud == "source":
        with open_bundle(shell.directory / "region.dpbundle") as bundle:
            assert bundle.manifest.source.region == REGION
    done = shell.run(*command, "--region", "Nowhere", "--overwrite" if cloud == "source" else "-q",
                     check=False)  # fmt: skip
    assert done.returncode == 6
    assert "Nowhere" in done.stderr
