"""The `idp` command: everything an administrator does by hand, and what starts the processes.

===============  ==========================================================================
``entry``        puts the commands together; wrong input is exit code 2, an outage is 1
``desk``         what each command works with: settings, storage, the clock, who typed it
``serving``      `idp serve`
``waiting``      `idp wait`
``worker``       `idp worker`; ``delivering`` is its part that lets messages leave
``demo``         `idp demo`, with ``processes`` for its child processes
``database``     `idp db upgrade`, `idp db check`
``clients``      `idp client …`; ``client_add`` and ``client_import`` register, ``invitations`` let others
                 register, ``client_desk`` is what they share
``people``       `idp person add`, `idp account …`
``imports``      `idp import companies`, `idp import people`
``mandates``     `idp mandate …`
``keys``         `idp key list`
``audits``       `idp audit verify`
``settings``     `idp settings`: the text of docs/settings.md
``errors``       `idp errors`: the text of docs/errors.md
===============  ==========================================================================

Every change is written to the audit trail as done by ``cli:<unix user>``. Output holds no personal
data in clear, and a secret once only.
"""

from idp.cli.entry import main

__all__ = ["main"]
