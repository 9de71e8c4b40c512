"""The state directory of an import: its owner, its lock, and the journal of what was made."""
