"""`python -m demo`: the browser demo's place; it says that it is not built yet."""

import sys


def main() -> int:
    """Say what is missing and what to use meanwhile; the request cannot be met, so the code is 2."""
    print("The demo is not built yet. Render with: python -m gen.render face --help", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
