"""Whatever reads bytes that somebody else wrote, under a coverage-guided fuzzer: ``make fuzz``.

``targets`` has a function for each reader; ``corpus/NAME/`` what the fuzzer found worth keeping,
and what once broke the reader.  ``test_corpus`` runs the corpus without a fuzzer.
"""
