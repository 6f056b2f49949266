"""Miniature receivers: correct ones that differ in everything lawful, and one for every bug.

They prove the contract (`hookproof selftest`) and show a finding (`hookproof demo`). They share no
code with the validators, so that a mistake there does not hide here.
"""
