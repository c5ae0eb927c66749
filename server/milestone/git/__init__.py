"""Everything that concerns Git repositories."""
