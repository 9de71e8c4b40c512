"""Signatures that were made once with ssh-keygen.

The private key is gone, the public one is ``signer.pub``.  A change of one of the two
manifests asks for a new pair, and for each manifest
``ssh-keygen -Y sign -f KEY -n manifest@dpbundle manifest.json``.
"""

from __future__ import annotations

SIGNED = b"""\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBROBYR6cnAiwX8blpSZwgPF2dq
u5bjeTv1VetNEnk8UAAAARbWFuaWZlc3RAZHBidW5kbGUAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABA9l4ThLtVZge7Aww1gUc6J5kUb/nxOlwDkKEJxo+MOq/aux
2R+VYeVfRLEoYOdXZE5yIESDGAzSyjvFNJ6upCBQ==
-----END SSH SIGNATURE-----
"""
"""Of the manifest of ``signed``."""

EVERYTHING = b"""\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBROBYR6cnAiwX8blpSZwgPF2dq
u5bjeTv1VetNEnk8UAAAARbWFuaWZlc3RAZHBidW5kbGUAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABAMpV2xPLu+ANEViR46c2rdA+Kz6lDQB8jd2Kc7EkOcXsSnQ
INAHg1px5fbKcRncFruDoW4nCG+cMRnXu+gXoaDw==
-----END SSH SIGNATURE-----
"""
"""Of the manifest of ``everything``."""
