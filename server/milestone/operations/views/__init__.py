"""What people and hosts look at, as plain values: reads only, in pages, at a cost that hardly grows with a project."""
