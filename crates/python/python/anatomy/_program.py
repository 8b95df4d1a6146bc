"""The program `anatomy`, as the wheel puts it on the PATH."""

import os
import shutil
import signal
import sys

from . import _anatomy


def main() -> int:
    """Run the command line; its exit status."""
    # The program's own handling: Python's would wait for the interpreter, which does not run meanwhile.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    program = shutil.which(sys.argv[0]) or os.path.abspath(sys.argv[0])
    return _anatomy.main(["anatomy", *sys.argv[1:]], program)


if __name__ == "__main__":
    sys.exit(main())
