"""Builders of the bundled data, one module per layer."""
