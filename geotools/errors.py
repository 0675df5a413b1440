"""One family of errors whose messages say what was found, where, what was expected and what to do."""

from __future__ import annotations

from typing import Any, ClassVar


class GeotoolsError(Exception):
    """Base of every error that geotools raises on purpose.

    Parameters
    ----------
    found : str
        What was found, without a full stop.
    where : str, optional
        File, variable, row or recipe key.
    expected : str, optional
        What would have been right.
    todo : str, optional
        What the user can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        found: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        todo: str | None = None,
    ) -> None:
        self.found, self.where, self.expected, self.todo = found, where, expected, todo
        head = f"{where}: {found}" if where else found
        parts = [head]
        if expected:
            parts.append(f"expected {expected}")
        message = "; ".join(parts) + "."
        if todo:
            message += f" To mend it: {todo}."
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        # An error from a worker process must come back with its parts, not with its text as `found`.
        return _again, (type(self), self.found, self.where, self.expected, self.todo)


def _again(kind: type[GeotoolsError], found: str, *parts: str | None) -> GeotoolsError:
    return kind(found, **dict(zip(("where", "expected", "todo"), parts, strict=True)))


class UsageError(GeotoolsError):
    """The call, the recipe or the output folder is wrong (exit code 2)."""

    exit_code = 2


class DataError(GeotoolsError):
    """An input was opened and what it holds cannot be used (exit code 3)."""

    exit_code = 3


class StorageError(GeotoolsError):
    """The disk is full or refuses to be written; what is done is kept, and the run can go on (exit code 4)."""

    exit_code = 4


class UnitsError(DataError):
    """Units are missing, unknown, of another dimension, or contradict the values."""


class CRSError(DataError):
    """A coordinate reference system is missing or does not fit."""


class GeometryError(DataError):
    """A polygon or line is empty, invalid or has no area."""


class GeotoolsWarning(UserWarning):
    """Something that costs time or leaves results empty, but makes none of them wrong."""


class ProblemsError(GeotoolsError):
    """Several problems, reported together.

    Parameters
    ----------
    problems : list of GeotoolsError
        In the order they were met; at least one.
    """

    def __init__(self, problems: list[GeotoolsError]) -> None:
        self.problems = problems
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        self.found, self.where, self.expected, self.todo = count, None, None, None
        # Each problem ends in its own full stop.
        Exception.__init__(self, "\n".join([count, *(f"  {i}. {p}" for i, p in enumerate(problems, 1))]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """3 when any of the problems is bad data, else 2."""
        return max(problem.exit_code for problem in self.problems)
