"""The numbered changes, the oldest first."""
