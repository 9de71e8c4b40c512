"""The commands that ``downpour-import`` and ``python -m bundle_spec`` share.

They print: stdout is data.  Nothing but a command line imports this module.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bundle_spec.check.verify import Level
from bundle_spec.cli.arguments import Arguments
from bundle_spec.cli.console import columns, tell, tell_as_it_is
from bundle_spec.errors import UsageError
from bundle_spec.form import digest
from bundle_spec.medium import local_error
from bundle_spec.private import open_regular
from bundle_spec.progress import Progress
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.parts import MIN_PART_SIZE, bundle_name, read_list
from bundle_spec.show.report import check
from bundle_spec.show.summary import summarise
from bundle_spec.show.summary_text import render
from bundle_spec.text import counted, json_text, parse_size, printable
from bundle_spec.trust import age, policy
from bundle_spec.trust.provenance import Candidate, Trust
from bundle_spec.trust.signature import Signers
from bundle_spec.trust.signing import sign_bundle
from bundle_spec.write.split import split_bundle


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    candidate: Candidate
    level: Level = "stored"
    json: bool = False


def verify_options_of(arguments: Arguments, candidate: Candidate) -> VerifyOptions:
    """The options of a check."""
    level: Level = "stored"
    if arguments["--quick"]:
        level = "structure"
    elif arguments["--read-data"]:
        level = "data"
    return VerifyOptions(candidate=candidate, level=level, json=arguments["--json"])


def candidate_of(arguments: Arguments, name: str = "BUNDLE") -> Candidate:
    """The bundle that the argument ``name`` names, where --parts says that more of it lies, and
    what it must prove.  Raises UsageError, LocalError for the policy."""
    files = BundleFiles(Path(arguments[name]), paths(arguments["--parts"]))
    return Candidate(files, _trust_of(arguments))


def paths(texts: Iterable[str]) -> tuple[Path, ...]:
    """The paths that a repeated option names, each once."""
    return tuple(map(Path, dict.fromkeys(texts)))


def verify(options: VerifyOptions, progress: Progress) -> None:
    """Check a bundle and print the report.  Raises its faults, TrustError when it is not trusted,
    UsageError when it is encrypted, LocalError."""
    files, trust = options.candidate.files, options.candidate.trust
    refuse_directory(files.path)
    _refuse_encrypted(files)
    report = check(files, level=options.level, trust=trust, progress=progress)
    if options.json:
        tell_as_it_is(json_text(report.as_json()))
    if report.error:
        raise report.error
    if not options.json:
        tell(report.sentence())


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    candidate: Candidate
    json: bool = False


def show_options_of(arguments: Arguments, candidate: Candidate) -> ShowOptions:
    """The options of ``show``."""
    return ShowOptions(candidate=candidate, json=arguments["--json"])


def show(options: ShowOptions) -> None:
    """Print what a bundle holds, and that it is not verified.  Raises as ``summarise`` does."""
    files, trust = options.candidate.files, options.candidate.trust
    refuse_directory(files.path)
    _refuse_encrypted(files)
    summary = summarise(files, trust=trust)
    if options.json:
        tell_as_it_is(json_text(summary.as_json()))
    else:
        tell(render(summary, columns()))


def _trust_of(arguments: Arguments) -> Trust:
    """The trust options as they were written; those that are not given come from the policy.

    The command line can require a signature, but it cannot waive one that the policy requires.
    Raises UsageError, LocalError.
    """
    local = policy.load()
    allowed = arguments["--allowed-signers"] or local.allowed_signers
    revoked = arguments["--revoked-signers"] or local.revoked_signers
    required = arguments["--require-signature"] or local.require_signature
    if not allowed and (revoked or required):
        raise UsageError(
            "whose signature is accepted?",
            remedy="name an allowed signers file with --allowed-signers",
        )
    expect = arguments["--expect-digest"]
    try:
        sha256 = None if expect is None else digest.parse(expect)
    except ValueError as exc:
        raise UsageError(str(exc), where="--expect-digest") from exc
    for path, what in ((allowed, "the allowed signers"), (revoked, "the revoked signers")):
        _require_readable(path, what)
    signers = Signers(Path(allowed), Path(revoked) if revoked else None) if allowed else None
    return Trust(expect=sha256, signers=signers, require_signature=required)


def _require_readable(path: str | Path | None, what: str) -> None:
    """Raises LocalError: also where a bundle is not signed, and nobody would look there."""
    if path is None:
        return
    try:
        os.close(open_regular(path))
    except OSError as exc:
        raise local_error(f"cannot read {what}", exc, path) from exc


@dataclass(frozen=True, kw_only=True)
class SignOptions:
    """``key``: a private SSH key, or a public one whose private half ssh-agent has."""

    path: Path
    key: Path
    overwrite: bool = False


def sign(options: SignOptions) -> None:
    """Sign a finished bundle in its place.  Raises as ``sign_bundle`` does, and UsageError for a
    bundle that is encrypted."""
    refuse_directory(options.path)
    early = "what is signed lies within: sign it before it is encrypted, by export --sign"
    _refuse_encrypted(BundleFiles(options.path), early)
    sha256 = sign_bundle(options.path, options.key, overwrite=options.overwrite)
    tell(f"{printable(str(options.path))}: signed\nmanifest sha256 {digest.grouped(sha256)}")


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """``folder``: where the parts go, else beside the bundle.  ``size``: of a part, in bytes."""

    path: Path
    size: int
    folder: Path | None = None


def part_size(text: str) -> int:
    """The size of a part that a person wrote.  Raises UsageError."""
    try:
        size = parse_size(text)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    if size < MIN_PART_SIZE:
        raise UsageError(f"parts of {text} are too small", remedy=f"at least {MIN_PART_SIZE} bytes")
    return size


def split(options: SplitOptions, progress: Progress) -> None:
    """Split a bundle and print the path of the list of its parts.  Raises as ``split_bundle``."""
    refuse_directory(options.path)
    listed = split_bundle(options.path, options.size, options.folder, progress=progress)
    parts = counted(len(read_list(bundle_name(listed))), "part")
    tell(f"{printable(str(listed))}: {parts}; the bundle itself stays")


def refuse_directory(path: Path) -> None:
    """Raises UsageError for a directory where a bundle is needed."""
    if os.path.isdir(path):
        raise UsageError(
            f"{path} is a directory",
            remedy="name a bundle; for what unpack made, the one that it came from",
        )


_DECRYPT = (
    "age -d -i IDENTITY -o CLEAR BUNDLE decrypts it; downpour-import does so by itself, with "
    "--identity and --decrypt-to"
)


def _refuse_encrypted(files: BundleFiles, remedy: str = _DECRYPT) -> None:
    """Raise UsageError; where a program can decrypt a bundle, it has done so before."""
    if age.is_encrypted(files):
        raise UsageError(f"{files.path} is encrypted", remedy=remedy)
