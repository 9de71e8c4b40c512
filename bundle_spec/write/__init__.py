"""Write a bundle in one pass; after a kill the next run goes on from the last checkpoint."""
