"""The source of an import, opened: decrypted, verified, trusted, and the part that is chosen."""
