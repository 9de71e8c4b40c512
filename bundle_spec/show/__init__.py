"""What a bundle holds, and what a check of it came to, in words and as JSON."""
