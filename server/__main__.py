"""Lets `python server` start the program from a checkout, with nothing installed but its dependencies."""

import sys

from milestone.__main__ import main

sys.exit(main())
