"""The check-ups of `milestone doctor`, by what they look at."""
