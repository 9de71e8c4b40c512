"""Who made a bundle: digests that came over another channel, signatures; and encryption."""
