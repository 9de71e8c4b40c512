"""Addresses of services in answers: the proxy's instead, so that no client goes past it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.faults.exchange import Answer

_ORIGIN = re.compile(r"https?://[\w.-]+:\d+")
_ORIGIN_IN_BYTES = re.compile(_ORIGIN.pattern.encode())


class Addresses:
    """``of``: origin of a service (``http://127.0.0.1:15001``) -> that of its listener."""

    def __init__(self, of: Mapping[str, str]) -> None:
        self._of = of
        self._in_bytes = {real.encode(): ours.encode() for real, ours in of.items()}

    def in_text(self, text: str) -> str:
        return _ORIGIN.sub(lambda found: self._of.get(found[0], found[0]), text)

    def in_answer(self, answer: Answer) -> Answer:
        """Of its headers (``Location``, ``WWW-Authenticate``), and of its body if that is JSON: the
        catalog, version documents, links to the next page."""
        headers = tuple((name, self.in_text(value)) for name, value in answer.headers)
        answer = Answer(answer.status, headers, answer.pieces, answer.ending, answer.reason)
        return answer.with_body(self._in_body(answer.whole_body())) if answer.is_json else answer

    def _in_body(self, body: bytes) -> bytes:
        return _ORIGIN_IN_BYTES.sub(lambda found: self._in_bytes.get(found[0], found[0]), body)
