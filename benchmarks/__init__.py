"""Measurements side by side with peers; run as modules, not as tests."""
