"""`python -m bx24frames`: the command, where its script is not on the path."""

from bx24frames.cli import main

if __name__ == "__main__":
    main()
