"""`idp errors`: every refusal an integrator can meet as a page, which is docs/errors.md."""

from __future__ import annotations

from idp.web.refusals.document import errors_page


def print_errors() -> None:
    """Print docs/errors.md: every numbered error and how to mend it."""
    print(errors_page(), end="")
