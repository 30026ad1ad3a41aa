"""Reading the probe's log."""

import asyncio
import json
from pathlib import Path
from typing import Any

WITHIN = 400  # looks, a twentieth of a second apart


async def log_lines(log: Path, **wanted: Any) -> list[dict[str, Any]]:
    """The lines whose fields are as `wanted`; waits until there is one, for the log is written in batches."""
    for _ in range(WITHIN):
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        if found := [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"no line with {wanted} in the log")
