"""`python -m msp.web.frontend`: fill msp/static/vendor from the locked packages."""

import sys

from msp.web.frontend.build import BuildError, build

if __name__ == "__main__":
    try:
        build()
    except BuildError as problem:
        sys.exit(f"front end: {problem}")
