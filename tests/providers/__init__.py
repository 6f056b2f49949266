"""What providers publish to verify their webhooks, as the judge of our documents.

Nothing here imports a provider's package before a test asks for it: where one is not installed, its
tests are skipped and say so. Packages of PyPI are in the dependency group `providers`, those of npm
in `package.json` beside this file.
"""
