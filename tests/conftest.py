"""What holds for every test."""

import os
import signal

from bundle_spec.trust import policy

# The policy of the machine that tests run on has no word in them, nor in commands that they start.
os.environ[policy.VARIABLE] = ""

# A shell without a terminal starts what it runs in the background deaf to Ctrl-C, and so would be
# every command that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
