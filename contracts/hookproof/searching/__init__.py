"""What Hypothesis looks for, and how: the searches behind the rules `property-…` and `model-…`.

Importing these modules imports Hypothesis, so rules do it inside their checks.
"""
