"""The commands of `tests/conformance/run`; its README says what they are for."""

import argparse
import os
import sys
import tempfile

from . import client, commands, session
from .processes import Istiod


def main() -> int:
    parser = argparse.ArgumentParser(prog="run", description="meshlint against istiod and a real Envoy")
    commands.add(parser.add_subparsers(required=True, metavar="command"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meshlint-conformance-") as folder:
        istiod = Istiod(os.environ["CONFORMANCE_ISTIOD"], os.environ["CONFORMANCE_SCHEMAS"])
        stack = session.Stack(istiod, os.environ["CONFORMANCE_ENVOY"], client.Identities(folder))
        try:
            return arguments.action(stack, arguments)
        finally:
            istiod.close()


if __name__ == "__main__":
    sys.exit(main())
