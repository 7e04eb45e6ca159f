"""Noise, dropout and penalties on activations."""
