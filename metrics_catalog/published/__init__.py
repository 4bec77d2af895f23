"""The official values: the only door to numbers."""
