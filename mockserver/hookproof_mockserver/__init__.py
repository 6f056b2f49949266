"""The sender a developer runs: webhooks, stock, deliveries, retries, dashboard."""
