"""What groups of rules stand on: a breach of these would only be told again by the others."""

from __future__ import annotations

ACCEPTS = ("valid-basic",)
"""Nothing can be said of a receiver that accepts nothing."""

VERIFIES = ("valid-basic", "forged-signature")
"""A receiver that takes any signature takes every forgery."""

AGES = ("valid-basic", "forged-signature", "stale-old")
"""A receiver that looks at no age takes every old request."""

ONCE = ("valid-basic", "replay-exact")
"""A receiver that acts on the same bytes again acts on them in any spelling."""

REWRITES = (*ONCE, "forged-signature", "replay-repeated")
"""What is not verified, or is acted on again as it is, is acted on in other clothes too."""
