"""`hookproof init`: what a project is, read from its files, and the files that start a contract."""
