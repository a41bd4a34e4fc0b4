"""Journeys of people in a real browser (Chromium), against the running demo.

Nothing is arranged behind the pages' back: accounts come from the demo's manifest, captchas are read
from its demo route, the portal is the one the demo starts.
"""
