"""What is raised where a command would end with status 2."""

from __future__ import annotations


class AnatomyError(Exception):
    """What is wrong, the value, and what was expected; `hint` says what to do about it, where that is known."""

    message: str
    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\n\nhint: {hint}")
        self.message = message
        self.hint = hint
