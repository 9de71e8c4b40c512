"""The form of a bundle as bytes and records: no file is opened here, every function is pure."""
