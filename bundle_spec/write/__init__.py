"""Write a bundle in one pass, so that a kill at any moment loses next to nothing."""
