"""What people decided about a metric, what they expected of it, and what came of it."""
