"""Training: one loop, one step."""
