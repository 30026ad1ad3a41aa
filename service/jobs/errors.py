"""How an attempt ends that does not succeed. Procrastinate logs these: they carry no foreign message."""

__all__ = ["Again", "Exhausted", "JobsError", "QueueLost", "UnknownTask"]


class JobsError(Exception):
    """Base of the errors of background jobs."""


class Again(JobsError):
    """The job goes back into the queue. `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(f"again in {wait} s")


class Exhausted(JobsError):
    """The job has used its attempts, or may not run at all; a person sees it in `mandant jobs exhausted`."""


class QueueLost(JobsError):
    """The connection that holds the locks of the running jobs is gone; they may no longer run here."""


class UnknownTask(JobsError):
    """No task of this name is declared; import the module that declares it."""
