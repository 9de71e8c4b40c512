"""How many examples: ten times as many where ``make soak`` asks for it."""

from hypothesis import settings

settings.register_profile("soak", max_examples=10 * settings().max_examples, print_blob=True)
