"""Which playbook is run, and which data it works on.

A checksum shows damage, but not who wrote a file, and a playbook is code.  Only files that equal
those of this importer byte for byte are run; data that differs from the manifest is an edit.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Iterator, Mapping

from bundle_spec.errors import DownpourError, Faults, TrustError
from bundle_spec.model import Manifest, Ref, Reference, Resource
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.playbook import differing, static_files, version_of
from downpour_import.source.opening import Opened

MAX_DIFF_LINES = 40


class TrustFaults(Faults, TrustError):
    pass


def check_code(opened: Opened) -> None:
    """Raises TrustFaults, with a diff, when a file is not the one that this importer ships for the
    playbook version that is most like it."""
    version = version_of(opened.playbook)
    faults = list(_code_faults(opened.playbook, version))
    if faults:
        raise TrustFaults(
            f"the playbook is not the one that this importer ships (version {version}), so it is "
            "not run",
            faults,
            remedy="read the difference; --trust-playbook runs it nevertheless",
        )


def _code_faults(files: Mapping[str, bytes], version: int) -> Iterator[DownpourError]:
    shipped = static_files(version)
    for name in differing(files, version):
        where = f"playbook/{name}"
        if name not in shipped:
            yield TrustError("no file of this playbook version", where=where)
        elif name in files:
            diff = difflib.unified_diff(
                shipped[name].decode().splitlines(),
                files[name].decode(errors="replace").splitlines(),
                "shipped",
                "found",
                lineterm="",
            )
            lines = [f"    {line}" for line in list(diff)[:MAX_DIFF_LINES]]
            yield TrustError("\n".join(["differs:", *lines]), where=where)


def edits(data: PlaybookData, manifest: Manifest) -> list[str]:
    """Where ``resources.yml`` differs from the manifest, one line for each record."""
    sealed = _sealed(manifest)
    lines = [] if data.bundle == sealed.bundle else [f"bundle: {data.bundle}"]
    before, after = _records(sealed), _records(data)
    # Of two records with one ID only the last would be compared, but the first would be made.
    times = Counter(record.ref for record in (*data.references, *data.resources))
    lines += [f"{ref}: stands there twice" for ref, number in times.items() if number > 1]
    for ref in {**before, **after}:
        if ref not in after:
            lines.append(f"{ref}: removed")
        elif ref not in before:
            lines.append(f"{ref}: added")
        elif before[ref] != after[ref]:
            what = f"{ref} {after[ref].name!r}"
            lines.append(f"{what}: {', '.join(_changed(before[ref], after[ref]))} changed")
    return lines


def check_keys(data: PlaybookData, manifest: Manifest) -> None:
    """Raise TrustFaults for keys that neither a record nor the manifest has: mistyped ones."""
    before = _records(_sealed(manifest))
    faults = []
    for ref, record in _records(data).items():
        names = [field.name for field in dataclasses.fields(record)]
        carried = before[ref].extra if ref in before else {}
        for key in sorted(record.extra.keys() - carried.keys()):
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]}?" if near else None
            faults.append(TrustError(f"unknown key {key!r}", where=str(ref), remedy=hint))
    if faults:
        raise TrustFaults("playbook/resources.yml has keys that nothing reads", faults)


def check_edits(opened: Opened, data: PlaybookData, *, allowed: bool) -> list[str]:
    """``edits`` of the data.  Raises TrustFaults when there are any that are not ``allowed``."""
    check_keys(data, opened.bundle.manifest)
    lines = edits(data, opened.bundle.manifest)
    if lines and not allowed:
        raise TrustFaults(
            "playbook/resources.yml is not what the manifest says",
            [TrustError(line) for line in lines],
            remedy="--edited imports it as it is",
        )
    return lines


def _sealed(manifest: Manifest) -> PlaybookData:
    """What ``resources.yml`` held when the exporter wrote it."""
    return PlaybookData(
        bundle=manifest.uuid, references=manifest.references, resources=manifest.resources
    )


def _records(data: PlaybookData) -> dict[Ref, Resource | Reference]:
    return {record.ref: record for record in (*data.references, *data.resources)}


def _changed(before: object, after: object) -> list[str]:
    return [name for name, value in vars(before).items() if vars(after).get(name) != value] or [
        "its type"
    ]
