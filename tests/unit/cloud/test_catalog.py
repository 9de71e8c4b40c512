"""The services of a catalog, and where a look at one of them goes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from downpour_cloud import CloudError
from downpour_cloud.catalog import Catalog
from tests.unit.fake_cloud import FakeCloud, response


@pytest.fixture
def fake() -> FakeCloud:
    return FakeCloud()


def test_types_are_the_official_ones_once_each(fake: FakeCloud) -> None:
    for service in ("sharev2", "share", "volumev3", "rating", "s3"):
        fake.catalog.append({"type": service, "endpoints": [{"region_id": "here"}]})
    assert Catalog(fake.connection).types() == (
        "block-storage", "rating", "s3", "shared-file-system",
    )  # fmt: skip


def test_a_service_without_a_type_or_an_endpoint_is_none(fake: FakeCloud) -> None:
    fake.catalog.append({"endpoints": [{"region": "here"}]})
    fake.catalog.append({"type": None, "endpoints": [{"region": "here"}]})
    fake.catalog.append({"type": "dns", "endpoints": None})
    assert Catalog(fake.connection).types() == ()


def test_without_a_region_every_region_counts(fake: FakeCloud) -> None:
    fake.connection.config.region_name = None
    fake.catalog.append({"type": "dns", "endpoints": [{"region": "x"}]})
    assert Catalog(fake.connection).types() == ("dns",)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("http://cloud/dns", "/dns/v2/zones"),
        ("http://cloud/dns/", "/dns/v2/zones"),
        ("http://cloud/dns/v2", "/dns/v2/zones"),
        ("http://cloud/dns/v2.0/p1", "/dns/v2.0/p1/zones"),
        ("http://cloud/v2ray", "/v2ray/v2/zones"),
    ],
)
def test_the_version_is_added_where_the_catalog_has_none(
    fake: FakeCloud, address: str, path: str
) -> None:
    asked: list[str] = []

    def request(url: str, method: str, **how: object) -> object:
        asked.append(url)
        return response(200, {"zones": []})

    fake.connection.session = SimpleNamespace(request=request)
    fake.connection.config = SimpleNamespace(get_session_endpoint=lambda service: address)
    assert Catalog(fake.connection).look("dns", "/zones", version="v2") == {"zones": []}
    assert asked == [f"http://cloud{path}"]


def test_the_services_of_openstacksdk_are_asked_through_it(fake: FakeCloud) -> None:
    fake.add("/backups", id="b", name="n")
    answer = Catalog(fake.connection).look("block-storage", "/backups", params={"limit": 9})
    assert answer == {"backups": [{"id": "b", "name": "n"}]}
    assert [(each.service, each.params) for each in fake.calls] == [("block_storage", {"limit": 9})]


def test_a_service_without_an_address_is_told(fake: FakeCloud) -> None:
    fake.connection.config = SimpleNamespace(get_session_endpoint=lambda service: None)
    with pytest.raises(CloudError, match="no address"):
        Catalog(fake.connection).look("dns", "/zones")
