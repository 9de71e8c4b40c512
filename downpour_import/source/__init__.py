"""What an import begins with: a bundle or an unpacked directory, whole, trusted, in clear."""
