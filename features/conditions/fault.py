"""What is wrong with a condition or a calendar, for whoever wrote it."""

from __future__ import annotations


class ConditionError(ValueError):
    """One mistake: `path` leads to the value, `what` says what is wrong with it and `remedy` how to mend it."""

    def __init__(self, path: tuple[str | int, ...], what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.path = path
        self.what = what
        self.remedy = remedy

    def inside(self, *path: str | int) -> ConditionError:
        """Return the same mistake, of something that lies at `path`."""
        return ConditionError((*path, *self.path), self.what, self.remedy)
