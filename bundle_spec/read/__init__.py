"""Read any part of a bundle, in bounded memory, and check what is read."""
