"""Lets `python server` start the program from a checkout, with nothing installed but its dependencies."""

from milestone.__main__ import main

main()
