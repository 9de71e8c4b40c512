"""Bounded reads at any place of a bundle, be it one file or its parts."""
