from __future__ import annotations

from collections.abc import Iterator

from .bench import MIB, PREFIX, Bench


def checks(bench: Bench) -> None:
    image, things, spec = bench.demo.image, bench.things, bench.cloud.spec
    raw, qcow2 = bench.disk_files()

    with bench.check("the operator's public images, with the bytes of their definition"):
        for public in spec.images:
            found = image.find_image(public.name, ignore_missing=False)
            assert found.visibility == "public"
            assert bench.downloaded(found.id) == public.content()
            for name, value in public.properties:
                assert (found.properties or {}).get(name, getattr(found, name, None)) == value

    with bench.check("a raw image with tags and properties; the same bytes come back"):
        made = image.create_image(
            PREFIX + "raw",
            filename=str(raw),
            disk_format="raw",
            container_format="bare",
            min_disk=1,
            min_ram=64,
            tags=["t1"],
            validate_checksum=True,
        )
        things["raw"] = made = image.get_image(made.id)
        assert made.status == "active" and made.size == raw.stat().st_size
        assert made.hash_value and made.min_disk == 1 and made.tags == ["t1"]
        assert bench.downloaded(made.id) == raw.read_bytes()
        assert bench.cloud.image_file(made.id).read_bytes() == raw.read_bytes()

    with bench.check("a qcow2 image in one chunked upload, as a stream of unknown length"):
        made = image.create_image(PREFIX + "qcow2", disk_format="qcow2", container_format="bare")
        things["qcow2"] = made
        response = image.put(
            f"/images/{made.id}/file",
            data=_chunks(qcow2.read_bytes()),
            headers={"Content-Type": "application/octet-stream"},
        )
        response.raise_for_status()
        assert bench.downloaded(made.id) == qcow2.read_bytes()

    with bench.check("a part of an image, by a Range request"):
        part = image.get(f"/images/{things['raw'].id}/file", headers={"Range": "bytes=1000-1999"})
        assert part.status_code == 206, part.status_code
        assert part.content == raw.read_bytes()[1000:2000]

    with bench.check("an image shared with the other project, and accepted there"):
        image.update_image(things["qcow2"], visibility="shared")
        other = bench.other
        image.add_member(things["qcow2"], member_id=other.current_project_id)
        other.image.update_member(other.current_project_id, things["qcow2"], status="accepted")
        assert other.image.get_image(things["qcow2"].id).name == PREFIX + "qcow2"


def _chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), MIB):
        yield content[start : start + MIB]
