"""What a bundle holds, and the result of a check of it, as text and as JSON."""
