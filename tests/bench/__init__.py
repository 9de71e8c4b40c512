"""What downpour costs, held against what one would do by hand.  ``make bench``."""
