"""Which playbook is run, and which data it works on.

A checksum shows damage, but not who wrote a file, and a playbook is code.  Only files that equal
those of this importer byte for byte are run; data that differs from the manifest is an edit.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bundle_spec.errors import MAX_FAULTS, DownpourError, Faults, TrustError
from bundle_spec.model import Manifest, Ref, Reference, Resource
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.playbook import differing, static_files, version_of
from bundle_spec.text import human_bytes
from downpour_import.source.found import PREFIX, SETTINGS, Found, takes_effect

MAX_DIFF_LINES = 40
MAX_DIFF_WIDTH = 200
"""Characters of a line."""
MAX_SHOWN = 64 << 10
"""Bytes of a file whose difference is shown."""
MAX_PLAYBOOK = 64 << 20
"""Bytes of foreign code that is run where the operator trusts it."""


class TrustFaults(Faults, TrustError):
    pass


def check_code(found: Mapping[str, Found], *, trusted: bool) -> dict[str, bytes]:
    """The code that may be run: path below ``playbook/`` -> bytes.

    Of a playbook that is one of those that downpour ever wrote, that is the newest version.  Of one
    that is not, every file that this importer ships is handed out as it is shipped.

    ``found``: all files but the data; ``settings.yml`` of a bundle counts as code, because nobody
    edited it, and is not handed out.  ``trusted``: the operator runs any other code too, but
    nothing that takes effect by its name alone.  Raises TrustFaults, with differences.
    """
    version = version_of(found)
    shipped = static_files(version)
    foreign = [name for name in differing(found, version) if name in found]
    if SETTINGS in found and not found[SETTINGS].equals(shipped[SETTINGS]):
        foreign.append(SETTINGS)
    if not foreign:
        return {name: data for name, data in static_files().items() if name != SETTINGS}
    if not trusted:
        raise TrustFaults(
            f"the playbook is not the one that this importer ships (version {version}), so it is "
            "neither run nor unpacked",
            [_code_fault(name, found[name], shipped) for name in foreign[:MAX_FAULTS]],
            remedy="read all of it, `tar xf BUNDLE playbook` shows the files; --trust-playbook "
            "takes it nevertheless",
        )
    taken = [name for name in foreign if not takes_effect(name) and name != SETTINGS]
    size = sum(found[name].size for name in taken)
    if size > MAX_PLAYBOOK:
        most = human_bytes(MAX_PLAYBOOK)
        raise TrustError(f"a playbook of {human_bytes(size)} is not run; {most} are the most")
    code = {name: shipped[name] for name in found if name in shipped and name != SETTINGS}
    return code | {name: found[name].read() for name in taken}


def _code_fault(name: str, file: Found, shipped: Mapping[str, bytes]) -> DownpourError:
    where = f"{PREFIX}{name}"
    if name not in shipped:
        size = human_bytes(file.size)
        return TrustError(f"no file of this playbook version; {size}, not shown", where=where)
    if file.size > MAX_SHOWN:
        sizes = f"{human_bytes(file.size)} where {human_bytes(len(shipped[name]))} are shipped"
        return TrustError(f"differs: {sizes}", where=where)
    diff = difflib.unified_diff(
        shipped[name].decode().splitlines(),
        file.read().decode(errors="replace").splitlines(),
        "shipped",
        "found",
        lineterm="",
    )
    return TrustError("differs:", where=where, lines=_cut(list(diff)))


def _cut(diff: Sequence[str]) -> Iterator[str]:
    """As much of a difference as is shown; whatever is left out is said."""
    for line in diff[:MAX_DIFF_LINES]:
        rest = len(line) - MAX_DIFF_WIDTH
        cut = f" [{rest} more characters are NOT shown]" if rest > 0 else ""
        yield f"    {line[:MAX_DIFF_WIDTH]}{cut}"
    if len(diff) > MAX_DIFF_LINES:
        yield f"    [{len(diff) - MAX_DIFF_LINES} more lines are NOT shown]"


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


def check_edits(data: PlaybookData, manifest: Manifest, *, allowed: bool) -> list[str]:
    """``edits`` of the data.  Raises TrustFaults when there are any that are not ``allowed``."""
    check_keys(data, manifest)
    lines = edits(data, manifest)
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
