"""Bridges from other logging libraries."""
