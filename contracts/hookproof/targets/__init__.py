"""Targets: how a receiver is reached."""
