"""Contract tests for receivers of signed webhooks."""
