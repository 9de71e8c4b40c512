"""What holds for every test."""

import os

from downpour_import.source import policy

# The policy of the machine that tests run on has no word in them, nor in commands that they start.
os.environ[policy.VARIABLE] = ""
