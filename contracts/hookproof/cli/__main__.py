"""`python -m hookproof.cli`."""

from __future__ import annotations

import sys

from hookproof.cli import main

sys.exit(main())
