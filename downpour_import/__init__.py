"""The half that reads a bundle and makes it true in another cloud."""
