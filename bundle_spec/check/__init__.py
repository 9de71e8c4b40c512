"""Is a bundle whole?  The three levels of checking [F-16]."""
