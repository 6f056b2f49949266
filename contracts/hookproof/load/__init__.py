"""Load tests on Locust: what is sent, what came of it, and whether that is right.

Locust runs in a process of its own and is imported by `locustfile` alone. The rest is plain: a
plan, requests by kind, counts that workers send and a session adds up, a judgement, reports.
"""
