"""Stop texts: where a text that is still being written is cut."""

from collections.abc import Sequence


class StopText:
    """Cuts text that arrives in pieces before the first stop text, which may span pieces and is never passed on.

    Of several the one that is complete first counts (the longest of those), however the text is cut into pieces.
    Raises ValueError for an empty stop text.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        if "" in stops:
            raise ValueError("a stop text must not be empty")
        self.stops = tuple(stops)
        self.stopped = False
        self._held = ""  # the end of the text so far, as much of it as may begin a stop text

    def feed(self, piece: str) -> str:
        """Return what is safe to pass on now; nothing once stopped."""
        if self.stopped:
            return ""
        text = self._held + piece
        found = [(start + len(stop), start) for stop in self.stops if (start := text.find(stop)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)[1]]
        longest = max(map(len, self.stops), default=1) - 1
        starts = range(max(0, len(text) - longest), len(text))
        safe = next((i for i in starts if any(stop.startswith(text[i:]) for stop in self.stops)), len(text))
        self._held = text[safe:]
        return text[:safe]

    def rest(self) -> str:
        """Return what was held back, once the text has ended."""
        held, self._held = self._held, ""
        return held
