"""How payloads are drawn from a schema: the parts of `hookproof_spec.strategies`.

Everything here needs Hypothesis; nothing else of `hookproof_spec` may import it.
"""
