"""Bundles with one fault each: of the manifest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.vectors.forge import Forge, ForgedDisk, Json, canonical
from tests.vectors.tenant import ODD, RULE, record
from tests.vectors.valid import nested
from tests.vectors.vector import Vector, disk, empty, file, filed, single, vector

Forges = dict[str, Forge]
Edit = Callable[[Json], object]

MARK = "dpb-0123456789ab-" + "0" * 32


def cases() -> dict[str, Vector]:
    forges = {
        **_texts(),
        **_versions(),
        **_sizes(),
        **_moments(),
        **_addresses(),
        **_disks(),
        **_files(),
        **_graph(),
        **_ids(),
        **_marks(),
    }
    return {name: vector(forge) for name, forge in forges.items()}


def _with(edit: Edit, forge: Forge | None = None) -> Forge:
    forge = forge or empty()
    forge.manifest = edit
    return forge


def _small() -> Forge:
    """A disk of five bytes."""
    return single(raw=b"small")


def _texts() -> Forges:
    """Bytes that are no canonical JSON [M-2] [M-3] [M-4], and values of another form [M-1]."""

    def data(edit: Callable[[bytes], bytes]) -> Forge:
        forge = empty()
        forge.manifest_bytes = edit
        return forge

    def text(old: str, new: str) -> Forge:
        return data(lambda found: found.replace(old.encode(), new.encode(), 1))

    def value_of_unknown_key(new: str) -> Forge:
        forge = text('"token"', new)
        forge.manifest = lambda value: value.update(later="token")
        return forge

    def many(value: Json) -> None:
        value["later"] = [0]
        value["later"] *= 1 + 2**19 + 1 - canonical(value).count(b"\n")

    return {
        "manifest-of-too-many-lines": _with(many),
        "manifest-of-too-many-values": data(lambda found: b'{"a":[' + b"[]," * 2**20 + b"]}\n"),
        "manifest-is-a-list": data(lambda found: b"[]\n"),
        "manifest-key-missing": _with(lambda value: value.pop("uuid")),
        "manifest-null-for-a-list": _with(lambda value: value.update(disks=None)),
        "manifest-text-for-a-number": _with(disk(size="5"), _small()),
        "manifest-true-for-a-number": _with(disk(virtual_size=True), _small()),
        "manifest-unknown-word": _with(
            _resources(keypairs=[record("keypairs", "k", public_key="k", key_type="gpg")])
        ),
        "json-without-spaces": text('": ', '":'),
        "json-keys-in-another-order": data(_reversed_keys),
        "json-keys-in-utf-16-order": data(_utf_16_order),
        "json-escape-that-is-not-needed": text('"demo"', r'"\u0064emo"'),
        "json-escape-of-a-slash": text("http://", r"http:\/\/"),
        "json-long-escape": text('"demo"', r'"de\u000amo"'),
        "json-escape-in-upper-case": text('"demo"', r'"de\u001Fmo"'),
        "json-minus-zero": value_of_unknown_key("-0"),
        "json-without-line-feed": data(lambda found: found[:-1]),
        "json-carriage-returns": data(lambda found: found.replace(b"\n", b"\r\n")),
        "utf-8-broken": data(lambda found: found.replace(b"demo", b"de\xffmo", 1)),
        "utf-8-surrogates": data(lambda found: found.replace(b"demo", b"\xed\xa0\xbd\xed\xb8\x80")),
        "utf-8-byte-order-mark": data(lambda found: b"\xef\xbb\xbf" + found),
        "json-cut": data(lambda found: found[:-3]),
        "json-and-more": data(lambda found: found + b"{}\n"),
        "json-key-twice": text(' "tool"', ' "tool": "other",\n "tool"'),
        "json-key-twice-by-an-escape": text(' "tool"', ' "t\\u006fol": "other",\n "tool"'),
        "json-fraction-of-nothing": value_of_unknown_key("1.0"),
        "json-exponent": value_of_unknown_key("1e3"),
        "json-nan": value_of_unknown_key("NaN"),
        "json-number-over-2-53": _with(lambda value: value.update(later=2**53)),
        "json-lone-surrogate": text('"demo"', r'"\ud83d"'),
        "depth-33": _with(lambda value: value.update(deep=nested(32))),
        "depth-3000": value_of_unknown_key("[" * 3000 + "]" * 3000),
    }


def _reversed_keys(data: bytes) -> bytes:
    """The key that stands first goes to the end."""
    lines = data.decode().splitlines()
    return "\n".join([lines[0], *lines[2:-2], lines[-2] + ",", lines[1][:-1], "}", ""]).encode()


def _utf_16_order(data: bytes) -> bytes:
    """Code units of UTF-16 order these two keys in another way than code points."""
    first, second = ' "\U0001f600": 1', ' "\uff5e": 1'
    return data.replace(b"\n}\n", f",\n{first},\n{second}\n}}\n".encode())


def _versions() -> Forges:
    """[M-5] [M-6]"""
    next_major = _with(lambda value: value.update(version=[2, 0]))
    odd = _with(lambda value: value.update(version=[2, 0]))
    odd.manifest_bytes = lambda data: data.replace(b' "tool"', b' "uuid": 1.5,\n "tool"', 1)
    return {
        "version-of-the-next-major": next_major,
        "version-of-the-next-major-in-other-json": odd,
        "version-missing": _with(lambda value: value.pop("version")),
        "version-of-a-negative-minor": _with(lambda value: value.update(version=[1, -1])),
        "version-as-text": _with(lambda value: value.update(version="1.0")),
        "version-of-three-numbers": _with(lambda value: value.update(version=[1, 0, 0])),
        "version-true-for-one": _with(lambda value: value.update(version=[True, 0])),
        "requires-delta": _with(lambda value: value.update(requires=["delta"])),
    }


def _sizes() -> Forges:
    """Nothing has less than no bytes [M-9]."""
    image = {"id": "i9", "name": "cirros", "size": -1}
    return {
        "size-negative": _with(disk(size=-1, chunks=0), _small()),
        "chunks-negative": _with(disk(chunks=-1), _small()),
        "stored-negative": _with(disk(stored=-1), _small()),
        "shared-negative": _with(disk(shared=-1), _small()),
        "virtual-size-negative": _with(disk(virtual_size=-1), _small()),
        "file-size-negative": _with(file(size=-1), filed()),
        "volume-size-negative": _with(_resources(volumes=[record("volumes", "v", size=-1)])),
        "reference-size-negative": _with(
            lambda value: value.update(references={"images": [image]})
        ),
    }


def _moments() -> Forges:
    """[M-21]"""

    def created(text: str) -> Forge:
        return _with(lambda value: value.update(created=text))

    capture = {"type": "image", "id": "i", "at": "2026-01-02 03:04:05Z", "consistency": "idle"}
    return {
        "created-in-words": created("today"),
        "created-without-a-zone": created("2026-01-02T03:04:05"),
        "created-in-another-zone": created("2026-01-02T03:04:05+01:00"),
        "created-with-a-fraction": created("2026-01-02T03:04:05.5Z"),
        "created-on-february-30": created("2026-02-30T03:04:05Z"),
        "created-and-a-line-feed": created("2026-01-02T03:04:05Z\n"),
        "capture-at-with-a-space": _with(disk(capture=capture), _small()),
    }


def _addresses() -> Forges:
    """[M-22]"""

    def subnet(**change: Any) -> Forge:
        found = record("subnets", "s", network_id="n", ip_version=4, cidr="10.0.0.0/24")
        return _with(_resources(networks=[record("networks", "n")], subnets=[found | change]))

    port = record("ports", "p", network_id="n", mac_address="fa:16:3e:00:00:01")
    fixed = {"fixed_ips": [{"subnet_id": "s", "ip_address": "fe80::1%eth0"}]}
    found = record("subnets", "s", network_id="n", ip_version=6, cidr="fe80::/64")
    reference = {"id": "s", "name": "s", "network_id": "n", "cidr": "192.0.2.0/255.255.255.0"}
    return {
        "cidr-in-words": subnet(cidr="ten"),
        "cidr-of-a-host": subnet(cidr="10.0.0.1/24"),
        "cidr-without-a-length": subnet(cidr="10.0.0.0"),
        "cidr-with-a-mask": _with(
            lambda value: value.update(
                resources={"networks": [record("networks", "n")]},
                references={"subnets": [reference]},
            )
        ),
        "gateway-of-five-numbers": subnet(gateway_ip="10.0.0.0.1"),
        "pool-with-leading-zeros": subnet(
            allocation_pools=[{"start": "10.0.0.010", "end": "10.0.0.99"}]
        ),
        "address-with-a-zone": _with(
            _resources(networks=[record("networks", "n")], subnets=[found], ports=[port | fixed])
        ),
    }


def _disks() -> Forges:
    """Records of disks [M-8] to [M-11] [M-17] [M-19] [M-20]."""
    two = Forge(disks=[ForgedDisk("0001", b"1"), ForgedDisk("0002", b"2")], files={})
    broken = [ForgedDisk("0001", b"1", abandoned=True), ForgedDisk("0002", b"2")]
    account = Forge(disks=[ForgedDisk("0001", b"1", abandoned=True)], files={})
    huge = 2**20 + 1
    return {
        "disk-id-0000": _with(disk(id="0000"), _small()),
        "disk-id-upwards": _with(disk(id="../1"), _small()),
        "disks-out-of-order": _with(lambda value: value["disks"].reverse(), two),
        "disk-id-twice": _with(
            lambda value: value["abandoned"][0].update(id="0002"),
            Forge(disks=broken, files={}),
        ),
        "chunks-too-few": _with(disk(chunks=0), _small()),
        "chunks-of-no-bytes": _with(disk(chunks=1), single(raw=b"")),
        "chunk-size-no-power-of-two": _with(disk(chunk_size=65537), _small()),
        "chunk-size-32-mib": _with(disk(chunk_size=2**25), _small()),
        "chunk-size-0": _with(disk(chunk_size=0), _small()),
        "chunks-over-2-20": _with(disk(size=huge * 2**16, chunks=huge), _small()),
        "digest-in-upper-case": _with(disk(sha256="A" * 64), _small()),
        "digest-of-index-too-short": _with(lambda value: value.update(index_sha256="ab")),
        "uuid-in-upper-case": _with(
            lambda value: value.update(uuid="6D3F1C1E-0000-4000-8000-000000000001")
        ),
        "disk-stored": _with(disk(stored=1), _small()),
        "disk-shared": _with(disk(shared=1), _small()),
        "abandoned-stored": _with(lambda value: value["abandoned"][0].update(stored=1), account),
        "disk-digest": _with(disk(sha256="0" * 64), _small()),
        "disk-size": _with(disk(size=6), _small()),
        "disk-reference-to-nothing": _with(_image("0009"), _small()),
        "disk-reference-to-an-abandoned-disk": _with(
            _image("0001"), Forge(disks=[ForgedDisk("0001", b"1", abandoned=True)], files={})
        ),
    }


def _image(disk_id: str) -> Edit:
    return _resources(images=[record("images", "i", disk_id=disk_id)])


def _resources(**sections: list[Json]) -> Edit:
    return lambda value: value.update(resources=sections)


def _files() -> Forges:
    """Records of files [M-12] [F-17]."""

    def path(name: str) -> Forge:
        return _with(file(path=name), filed())

    def files(*names: str) -> Forge:
        record = {"size": 4, "sha256": "0" * 64}
        return _with(lambda value: value.update(files=[{"path": n, **record} for n in names]))

    return {
        "file-outside": path("disks/x"),
        "file-absolute": path("/playbook/x"),
        "file-upwards": path("playbook/../x"),
        "file-like-an-option": path("playbook/-rf"),
        "file-not-ascii": path("playbook/\u00fc"),
        "file-name-of-101-bytes": path("playbook/" + "x" * 92),
        "file-in-another-case": files("playbook/A", "playbook/a"),
        "file-and-directory": files("playbook/a", "playbook/a/b"),
        "files-out-of-order": files("playbook/b", "playbook/a"),
        "file-over-16-mib": _with(file(size=2**24 + 1), filed()),
        "file-of-another-digest": _with(file(sha256="0" * 64), filed()),
    }


def _graph() -> Forges:
    """References between resources [M-14] [M-15]."""
    group = {**RULE, "id": "r", "direction": "ingress", "ether_type": "IPv4"}
    network = record("networks", "n")

    def resources(**sections: list[Any]) -> Forge:
        return _with(_resources(**sections))

    def image(**change: Any) -> Forge:
        return _with(_resources(images=[record("images", "i", disk_id="0001", **change)]), _small())

    return {
        "reference-network": resources(
            ports=[record("ports", "p", network_id="n", mac_address="fa:16:3e:00:00:01")]
        ),
        "reference-remote-group": resources(
            security_groups=[
                record("security_groups", "g", rules=[{**group, "remote_group_id": "gone"}])
            ]
        ),
        "reference-server-of-an-image": image(server_id="gone"),
        "reference-flavor": resources(servers=[record("servers", "s", flavor="gone")]),
        "reference-of-another-type": resources(
            networks=[network],
            ports=[record("ports", "p", network_id="n", mac_address="m", security_group_ids=["n"])],
        ),
        "reference-network-of-a-subnet": _with(
            lambda value: value.update(
                references={
                    "subnets": [{"id": "s", "name": "s", "network_id": "n", "cidr": "192.0.2.0/24"}]
                }
            )
        ),
        "resource-twice": resources(networks=[network, network]),
        "resource-and-reference": _with(
            lambda value: value.update(
                resources={"networks": [network]},
                references={
                    "networks": [{"id": "n", "name": ODD[0], "external": True, "shared": False}]
                },
            )
        ),
    }


def _ids() -> Forges:
    """IDs that are names [M-14]."""

    def references(section: str, **reference: Any) -> Forge:
        return _with(lambda value: value.update(references={section: [reference]}))

    sizes = {"vcpus": 1, "ram": 512, "disk": 1}
    return {
        "id-of-a-keypair": _with(
            _resources(keypairs=[record("keypairs", "k", name="other", public_key="k")])
        ),
        "id-of-a-referenced-keypair": references("keypairs", id="k", name="other"),
        "id-of-a-flavor": references("flavors", id="42", name="m1.small", **sizes),
        "id-of-a-volume-type": references("volume_types", id="42", name="fast"),
        "id-of-a-zone": references(
            "availability_zones", id="volume/nova", name="nova", service="compute"
        ),
    }


def _marks() -> Forges:
    """What only an importer writes [M-16]."""
    network = record("networks", "n")
    group = {**RULE, "id": "r", "direction": "ingress", "ether_type": "IPv4"}
    external = {"id": "ext", "name": "public", "external": True}
    forwarding = {
        "protocol": "tcp",
        "internal_port_id": "p",
        "internal_ip_address": "10.0.0.5",
        "description": MARK,
    }

    def resources(**sections: list[Any]) -> Forge:
        return _with(_resources(**sections))

    def marked(**change: Any) -> Forge:
        return resources(networks=[network | change])

    def image(**change: Any) -> Forge:
        return _with(_resources(images=[record("images", "i", disk_id="0001", **change)]), _small())

    return {
        "mark-tag": marked(tags=["dpb-x"]),
        "mark-tag-in-upper-case": marked(tags=["DPB-X"]),
        "mark-name": marked(name=MARK),
        "mark-description": marked(description=MARK + " and more"),
        "mark-description-in-upper-case": marked(description=MARK.upper()),
        "mark-description-of-a-rule": resources(
            security_groups=[record("security_groups", "g", rules=[{**group, "description": MARK}])]
        ),
        "mark-description-of-a-forwarding": resources(
            networks=[network],
            ports=[record("ports", "p", network_id="n", mac_address="fa:16:3e:00:00:01")],
            floating_ips=[
                record("floating_ips", "f", floating_network_id="n", port_forwardings=[forwarding])
            ],
        ),
        "mark-metadata": resources(volumes=[record("volumes", "v", metadata={"dpb-x": ""})]),
        "mark-metadata-value": resources(volumes=[record("volumes", "v", metadata={"x": MARK})]),
        "mark-properties": image(properties={"dpb-x": ""}),
        "mark-unknown-key": marked(later={"dpb-x": 1}),
        "mark-under-an-unknown-key": marked(later=[{"a": [MARK]}]),
        "mark-in-an-unknown-type": resources(shares=[{"id": "s", "description": MARK}]),
        "mark-in-references": _with(
            lambda value: value.update(references={"networks": [external | {"name": MARK}]})
        ),
    }
