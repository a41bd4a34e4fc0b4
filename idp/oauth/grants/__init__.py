"""The grants of the token endpoint, a file each, on Authlib's classes.

Each spends what it was given before it mints: the code is taken, the refresh token is rotated, and
only then are tokens made. ``issue`` is the one place that makes the answer,
``redeemed`` the way there from a code of either kind.
"""
