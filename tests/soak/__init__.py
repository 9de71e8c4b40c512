"""Moves of random tenants under kills, and an oracle; see README.md beside this file."""
