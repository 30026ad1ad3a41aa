"""Can this process serve? Each part is asked, and what is wrong is said without addresses or secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from mandant.service.edge.logs import get_logger

if TYPE_CHECKING:
    from mandant.service.runtime import Runtime

TIMEOUT = 3.0  # seconds for each part

Check = Callable[[], Awaitable[str]]  # "ok" or what is wrong, in a few words

_log = get_logger("mandant.health")


async def check(runtime: Runtime | None) -> dict[str, str]:
    """What each part says, asked at the same time."""
    if runtime is None:
        return {"service": "starting or stopping"}
    return await ask_all(runtime.checks)


async def ask_all(checks: Mapping[str, Check]) -> dict[str, str]:
    """Ask every check within its time; one that raises or is late says so and no more."""
    said = await asyncio.gather(*(_ask(part, one) for part, one in checks.items()))
    return dict(zip(checks, said, strict=True))


async def _ask(part: str, one: Check) -> str:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await one()
    except TimeoutError:
        return f"no answer within {TIMEOUT:.0f} s"
    except Exception as error:  # noqa: BLE001 - health reports whatever is wrong with a part, and logs it
        _log.warning("part not ready", part=part, exc_info=error)
        return "not reachable"
