"""`mandant ...` as somebody types it in a second terminal."""

import asyncio
import sys

from mandant.service.tour.stage import Stage

__all__ = ["command", "succeeded"]


async def command(stage: Stage, *words: str) -> tuple[int, str]:
    """Exit code of a `mandant` command on the tour's installation, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mandant", *words),
        env={**stage.environ, "COLUMNS": "90"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace").strip()


async def succeeded(stage: Stage, *words: str) -> str:
    """What the command printed. Raises: OSError where it fails."""
    code, said = await command(stage, *words)
    if code:
        raise OSError(f"mandant {' '.join(words)} ended with {code}: {said[-300:]}")
    return said
