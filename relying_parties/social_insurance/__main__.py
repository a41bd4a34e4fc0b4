"""Serve the portal: `python -m relying_parties.social_insurance`; exit code 2 for wrong settings."""

import sys

from relying_parties.kit.serve import serve
from relying_parties.kit.settings import SettingsRefused
from relying_parties.social_insurance.app import create_app
from relying_parties.social_insurance.config import load_settings


def main() -> int:
    """Check the settings here, where a sentence can be said, then serve. The exit code."""
    try:
        settings = load_settings()
        create_app(settings).extensions["portal"].close()
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    serve("relying_parties.social_insurance.app:from_environment", settings.host, settings.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
