"""The `.milestones/` folder: what people read of the database."""
