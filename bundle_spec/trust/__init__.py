"""Whose bundle is it?  Digests told by other ways, signatures, encryption."""
