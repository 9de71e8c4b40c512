"""The half that reads a cloud and writes a bundle."""
