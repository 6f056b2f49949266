"""What the pytest plugin needs when it is used; nothing here is loaded in a run that does not."""
