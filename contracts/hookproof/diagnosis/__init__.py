"""Why a genuine request was refused: known mistakes, tried one after another, and what they say.

`mistakes` is the table; `hints` asks it about a captured request; `answers` and `asking` ask a
receiver that can only be seen from outside.
"""
