"""Programs that sources run: what cannot be started makes the source unavailable, as what fails does."""

from collections.abc import Mapping, Sequence

from nixery.concurrency.output import Sink
from nixery.concurrency.process import Exit, Processes
from nixery.errors import SourceUnavailable


async def run(
    processes: Processes,
    command: Sequence[str],
    environment: Mapping[str, str],
    stdout: Sink,
    stderr: Sink,
    seconds: float,
) -> Exit:
    """See Processes.run; raises SourceUnavailable where it raises OSError."""
    try:
        return await processes.run(command, environment, stdout, stderr, seconds)
    except OSError as error:
        raise SourceUnavailable(f"{command[0]} cannot be started: {error.strerror}") from error
