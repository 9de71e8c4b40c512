"""What all command lines share; nothing else in this package prints."""
