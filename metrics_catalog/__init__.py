"""What we measure: definitions, the engine that computes them, and the official values."""
