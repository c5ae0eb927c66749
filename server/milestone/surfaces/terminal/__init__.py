"""What people see of a milestone in a terminal: one screen, a live one, and the log."""
