"""Definitions that come from other tools or go to them: what was taken over, files others read. Computes nothing."""
