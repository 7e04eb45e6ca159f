"""Layers that change shape."""
