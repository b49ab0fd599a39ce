"""Models: layers put together for one kind of input and output."""
