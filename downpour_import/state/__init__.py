"""The state directory: whose it is, and the journal by which nothing is ever made twice."""
