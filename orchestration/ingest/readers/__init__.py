"""One module per way to read. A reader turns files (or a table) into relations and places what it cannot read."""
