"""The review of the metric system: what nobody uses, what cries wolf, what waits, what came of decisions."""
