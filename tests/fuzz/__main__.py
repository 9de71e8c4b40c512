"""``python -m tests.fuzz [TARGET...]``: have the fuzzer try readers, FUZZ_SECONDS (60) each.

What breaks a reader is kept in its corpus as ``crash-…``, ``oom-…`` or ``timeout-…``, where the
tests find it.  FUZZ_KEEP=1 also keeps there what reached code that nothing else in it reaches.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_ONE = "--one"
_MOST_KEPT = 2048
"""Bytes: a corpus is for what is odd, and small files are odd in one way."""
_PACKAGES = ["bundle_spec", "downpour_export", "downpour_import"]


def main(arguments: list[str]) -> int:
    if arguments[:1] == [_ONE]:
        _fuzz(arguments[1], arguments[2:])
        return 0
    from tests.fuzz.targets import TARGETS

    broken = [target for target in arguments or TARGETS if not _try(target)]
    for target in broken:
        sys.stderr.write(f"BROKEN: {target}: see its corpus\n")
    return 1 if broken else 0


def _try(target: str) -> bool:
    """Fuzz one reader in a process of its own; whether it held."""
    from tests.fuzz.seeds import CORPUS, seeds
    from tests.fuzz.targets import LARGEST

    kept = CORPUS / target
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder)
        for number, data in enumerate(seeds(target)):
            (found / f"seed-{number}").write_bytes(data)
        command = [sys.executable, "-m", "tests.fuzz", _ONE, target]
        limits = [f"-max_len={LARGEST}", "-timeout=20", "-rss_limit_mb=1500", "-verbosity=0"]
        seconds = os.environ.get("FUZZ_SECONDS") or "60"
        times = [f"-max_total_time={seconds}", "-print_final_stats=1"]
        sys.stderr.write(f"{target}: {seconds} s\n")
        held = subprocess.run(
            [*command, *limits, *times, f"-artifact_prefix={kept}/", str(found), str(kept)]
        )
        if os.environ.get("FUZZ_KEEP"):
            subprocess.run([*command, *limits, "-merge=1", str(kept), str(found)], check=True)
            _drop_large_and_seeds(kept, set(seeds(target)))
    return held.returncode == 0


def _drop_large_and_seeds(kept: Path, begun_with: set[bytes]) -> None:
    for path in kept.iterdir():
        data = path.read_bytes()
        if data in begun_with or len(data) > _MOST_KEPT:
            path.unlink()


def _fuzz(target: str, arguments: list[str]) -> None:
    import atheris

    # Only code that is imported here tells the fuzzer where it was.
    with atheris.instrument_imports(include=_PACKAGES):
        from tests.fuzz.targets import run
    # To merge, the fuzzer runs itself again, by a shell.
    itself = f"{sys.executable} -m tests.fuzz {_ONE} {target}"
    atheris.Setup([itself, *arguments], lambda data: run(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
