"""The store: engines below, one table group per module above."""
