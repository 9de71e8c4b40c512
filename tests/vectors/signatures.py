"""Signatures that were made once with ssh-keygen.

The private key is gone, the public one is ``signer.pub``.  A change of one of the two
manifests asks for a new pair, and for each manifest
``ssh-keygen -Y sign -f KEY -n manifest@dpbundle manifest.json``.
"""

from __future__ import annotations

SIGNED = b"""\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgkTxyvKQ0+xdgi4LA64raFLU1n5
6UU5FFXZiht0T8d6oAAAARbWFuaWZlc3RAZHBidW5kbGUAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABAZ+ATX6+DKLLLt6qb/cDQk/eAQH1LPwbRaozlejXxrLafK3
pH8wlWLOmzTGvBp3XRP6seS1yUL+qXuXtKZaWEAg==
-----END SSH SIGNATURE-----
"""
"""Of the manifest of ``signed``."""

EVERYTHING = b"""\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgkTxyvKQ0+xdgi4LA64raFLU1n5
6UU5FFXZiht0T8d6oAAAARbWFuaWZlc3RAZHBidW5kbGUAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABA8HRkCJULvE6vc6V9PUT/5l6XIJBNzUEXg47Tj+HoOyNL+P
DT3YNdHIFG9XtgRHOh1CIBpzEq5NBd5chhEBRaCg==
-----END SSH SIGNATURE-----
"""
"""Of the manifest of ``everything``."""
