"""Run the command line as ``python -m bx24frames``."""

from bx24frames.cli import main

if __name__ == "__main__":
    main()
