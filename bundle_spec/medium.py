"""What the operating system says of a file, in words: what failed, where, and what to do.

The one place where an OSError becomes a LocalError.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from bundle_spec.errors import LocalError

FREE_SPACE = "free space and run the same command again"
CHECK_MEDIUM = "check that the medium is there and sound, then run the same command again"
OTHER_NAME = "this file system may not take such a name: choose a shorter one of letters and digits"
NOT_HERE = "this file system cannot do that: name a place on another one"

_REMEDIES = {
    errno.ENOSPC: FREE_SPACE,
    errno.EDQUOT: FREE_SPACE,
    errno.EROFS: "mount it for writing, or name another place",
    errno.EFBIG: "this file system takes no file of that size: name a place on another one",
    errno.EACCES: "check its permissions",
    errno.EBUSY: "wait for the other run, or choose another name",
    **dict.fromkeys((errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG), OTHER_NAME),
    **dict.fromkeys((errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS), NOT_HERE),
    **dict.fromkeys(
        (
            *(errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.EREMOTEIO),
            *(errno.ENOMEDIUM, errno.EUCLEAN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN),
        ),
        CHECK_MEDIUM,
    ),
}


def is_of_medium(exc: OSError) -> bool:
    """Whether it tells of a file system, and not of the network or of ourselves."""
    return exc.errno in _REMEDIES and type(exc).__module__ == "builtins"


def local_error(
    what: str, exc: OSError, where: str | os.PathLike[str], remedy: str | None = None
) -> LocalError:
    """The error ``exc`` in words.

    ``what`` failed, ``cannot write the bundle``.  ``remedy``: where the error itself says none.
    """
    why = exc.strerror or str(exc)
    return LocalError(
        f"{what}: {why}", where=os.fspath(where), remedy=_REMEDIES.get(exc.errno or 0, remedy)
    )


@contextmanager
def local_errors(
    what: str, where: str | os.PathLike[str], remedy: str | None = None
) -> Iterator[None]:
    """Turn an OSError into the LocalError of ``local_error``."""
    try:
        yield
    except OSError as exc:
        raise local_error(what, exc, where, remedy) from exc
