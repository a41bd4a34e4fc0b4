"""Serve the simulators: `python -m relying_parties.simulators`; exit code 2 for wrong settings."""

import sys

from relying_parties.kit.serve import check_and_serve
from relying_parties.simulators.config import load_settings

if __name__ == "__main__":
    sys.exit(check_and_serve("relying_parties.simulators.app:from_environment", load_settings))
