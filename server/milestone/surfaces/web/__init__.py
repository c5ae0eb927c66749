"""The page: served on this machine alone, from the same code as every other door."""
