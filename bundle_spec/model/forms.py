"""What a number of a record counts, and which form a text has.

Each type below is ``int`` or ``str`` with its ``Form``: the schema tells it to other programs, and
``form.value_check`` checks what a rule of SPEC.md asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, kw_only=True)
class Form:
    """``unit``: of a number, in words.  ``minimum``: its least value.  ``format``: of a text, one
    of these, as JSON Schema calls them; ``cidr`` is our own.  ``pattern``, ``encoding``: as its
    keywords ``pattern`` and ``contentEncoding``."""

    unit: str | None = None
    minimum: int | None = None
    format: tuple[str, ...] = ()
    pattern: str | None = None
    encoding: str | None = None


Count = Annotated[int, Form(minimum=0)]
Bytes = Annotated[int, Form(minimum=0, unit="bytes")]
MiB = Annotated[int, Form(minimum=0, unit="MiB")]
GiB = Annotated[int, Form(minimum=0, unit="GiB")]
ChunkSize = Annotated[int, Form(unit="bytes")]
"""One of those that F-17 allows, so that another rule knows its least."""

MOMENT = Form(
    format=("date-time",),
    pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+]00:00)$",
)
Moment = Annotated[str, MOMENT]
"""A second in UTC, as RFC 3339 writes it [M-21]."""

ADDRESS = Form(format=("ipv4", "ipv6"))
Address = Annotated[str, ADDRESS]
"""An IP address [M-22]."""

CIDR = Form(format=("cidr",))
Cidr = Annotated[str, CIDR]
"""The addresses of a subnet [M-22]."""

Sha256 = Annotated[str, Form(pattern="^[0-9a-f]{64}$")]
"""A digest [M-11]."""
Uuid = Annotated[str, Form(format=("uuid",))]
Uri = Annotated[str, Form(format=("uri",))]
Base64 = Annotated[str, Form(encoding="base64")]
