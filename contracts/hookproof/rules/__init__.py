"""The rules of the contract, a module for each category."""
