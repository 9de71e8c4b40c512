class DevcloudError(Exception):
    """Something the person at the keyboard can act on: one sentence, with the remedy."""
