"""Check whether a bundle is whole, at one of three levels [F-16]."""
