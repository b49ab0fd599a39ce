"""Recurrent networks with explicit forward and backward passes, on NumPy alone.

Nothing here knows of text, files or YAML. Arrays are feature-major: a sequence is (T, features, B), a set of positions
is (features, N). T time steps, B sequences in the batch, D inputs, H hidden units, k gates, S states, V classes.
"""
