"""Planning a run: every job checked and named and a folder to write to, or all problems at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from gen.atomic import unwritable
from gen.job import JobError

Job = TypeVar("Job")
Plan = TypeVar("Plan")


def all_planned(
    jobs: Sequence[Job], plan: Callable[[Job], Plan], out: Path, known: Iterable[str] = ()
) -> list[Plan]:
    """The plan of every job, in order, and the folder made.

    Raises:
        JobError: the problems that are `known`, those of all jobs and of the folder; nothing is written then.
    """
    plans, problems = list[Plan](), list(known)
    for job in jobs:
        try:
            plans.append(plan(job))
        except JobError as error:
            problems += error.problems
    if (told := unwritable(out)) is not None:
        problems.append(f"--out: {told}")
    if problems:
        raise JobError(tuple(dict.fromkeys(problems)))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JobError((f"--out: '{out}' cannot be made: {error.strerror}.",)) from None
    return plans
