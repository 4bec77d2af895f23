"""Scheduled reports: what is in one (a body, plain data), how it looks, who gets it, what was sent."""
