"""The format as pure functions over bytes and records; nothing here opens a file."""
