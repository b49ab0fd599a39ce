"""Train recurrent networks from the shell, generate with them, and see how they work."""

__version__ = "0.1.0"
