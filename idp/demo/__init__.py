"""Demo mode: an invented world, and what a tool needs to drive it."""
