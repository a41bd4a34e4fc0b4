"""The portals that get their users from 通行: strangers to it, who know its issuer address and nothing else.

`kit/` is what any portal needs; each other package is one portal with its own database, records and pages.
Nothing here imports `idp`, no portal imports another, and all of them wear the look of `theme`.
"""
