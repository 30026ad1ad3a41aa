"""A process that starts the server of the folder it is given, says so, and waits to be killed.

starter.py FOLDER       prints `ready SOCKETS`, or the error, and ends when its input does
"""

import asyncio
import os
import sys
from pathlib import Path

from mandant.service.postgres import EmbeddedPostgres, PostgresError


async def main(folder: Path) -> None:
    try:
        async with EmbeddedPostgres(folder, {"fsync": "off"}) as server:
            print("ready", server.sockets, os.geteuid(), flush=True)
            await asyncio.to_thread(sys.stdin.read)
    except PostgresError as error:
        print(type(error).__name__, error, flush=True)


asyncio.run(main(Path(sys.argv[1])))
