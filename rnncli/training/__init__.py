"""Training: optimizers, schedules, the loop as a generator of events, and checkpoints."""
