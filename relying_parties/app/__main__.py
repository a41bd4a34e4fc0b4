"""Serve the phone app: `python -m relying_parties.app`; exit code 2 for wrong settings."""

import sys

from relying_parties.app.config import load_settings
from relying_parties.kit.serve import check_and_serve

if __name__ == "__main__":
    sys.exit(check_and_serve("relying_parties.app.app:from_environment", load_settings))
