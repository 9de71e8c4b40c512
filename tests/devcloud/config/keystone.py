from __future__ import annotations

from ..cloud import Cloud
from .common import Sections, database, defaults


def sections(cloud: Cloud) -> Sections:
    fernet = cloud.root / "keystone" / "fernet"
    return {
        "DEFAULT": defaults(cloud, "keystone"),
        "database": database(cloud, "keystone"),
        "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
        # The cheapest hash: a token costs 0.3 s with the default.
        "identity": {"password_hash_rounds": 4, "max_password_length": 72},
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": fernet},
        "fernet_receipts": {"key_repository": fernet},
        "credential": {"key_repository": cloud.root / "keystone" / "credential"},
    }
