"""The machine that is played for downpour: its files, what fails in them, and what a cut leaves."""
