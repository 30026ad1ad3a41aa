"""Tasks by name: whose they are, how often they are tried, and the function."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

from mandant.service.jobs.errors import UnknownTask

__all__ = ["REGISTRY", "Owner", "Registry", "Task", "operator_job", "tenant_job", "timer_job"]

# Also the name of the queue that the jobs of such a task wait in.
Owner = Literal["tenant", "operator", "timers"]
TaskFunction = Callable[..., Awaitable[None]]

_LONGEST_WAIT = 3600


@dataclass(frozen=True, slots=True)
class Task:
    """A declared task. `attempts`: starts at most, None as the installation sets; `wait` seconds before
    the second, four times as many before each further one, an hour at most. `cron` has five fields (UTC)
    and is set for timers only."""

    name: str
    owner: Owner
    function: TaskFunction
    attempts: int | None
    wait: int
    cron: str | None = None

    def wait_after(self, attempt: int) -> int:
        """Seconds between the end of the attempt with this number, from 1, and the next one."""
        return min(self.wait << 2 * min(attempt - 1, 20), _LONGEST_WAIT)


class Registry:
    """All tasks that a worker knows."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def copy(self) -> Self:
        """A registry of the same tasks, to which more may be added."""
        other = type(self)()
        other._tasks.update(self._tasks)
        return other

    def add(self, task: Task) -> None:
        """Raises: ValueError for a second task of one name."""
        if task.name in self._tasks:
            raise ValueError(f"a task {task.name!r} is declared already; choose another name")
        self._tasks[task.name] = task

    def get(self, name: str) -> Task:
        """Raises: UnknownTask."""
        try:
            return self._tasks[name]
        except KeyError:
            raise UnknownTask(f"no task {name!r} is declared") from None


REGISTRY = Registry()


def tenant_job(
    name: str, *, attempts: int | None = None, wait: int = 10, registry: Registry = REGISTRY
) -> Callable[[TaskFunction], TaskFunction]:
    """Declare `async def f(context, **ids)` as a tenant's task: without a tenant no job of it runs."""
    return _declare("tenant", name, attempts, wait, None, registry)


def operator_job(
    name: str, *, attempts: int | None = None, wait: int = 10, registry: Registry = REGISTRY
) -> Callable[[TaskFunction], TaskFunction]:
    """Declare a task of the operator's: without a tenant, enqueued by the worker's role alone."""
    return _declare("operator", name, attempts, wait, None, registry)


def timer_job(
    name: str, cron: str, *, registry: Registry = REGISTRY
) -> Callable[[TaskFunction], TaskFunction]:
    """Declare an operator's task that runs by the clock; one that fails waits for its next tick.

    Timers stand in timetable.py, nowhere else.
    """
    return _declare("timers", name, 1, 0, cron, registry)


def _declare(
    owner: Owner, name: str, attempts: int | None, wait: int, cron: str | None, registry: Registry
) -> Callable[[TaskFunction], TaskFunction]:
    def declare(function: TaskFunction) -> TaskFunction:
        registry.add(Task(name, owner, function, attempts, wait, cron))
        return function

    return declare
