"""One file into one tenant's customers, through the public API: upload, look, start, wait."""

import asyncio
from typing import Any

from mandant.service.demo.client import Client

__all__ = ["finished", "import_file", "start_import", "upload_import"]

LOOK_AGAIN = 0.1  # seconds
MODULE = "/tenants/{}/modules/customers"


async def upload_import(api: Client, tenant_id: str, content: bytes, name: str) -> str:
    """The address of a new import of the file. Nothing is imported yet. Raises: Refused."""
    path = f"{MODULE.format(tenant_id)}/imports"
    made = api.accepted(await api.upload(path, content, name), "POST", path)
    return f"{path}/{made['id']}"


async def start_import(api: Client, address: str) -> Any:
    """The import, running. Raises: Refused."""
    return await api.need("POST", f"{address}/start")


async def finished(api: Client, address: str) -> Any:
    """The import once it is over, however it ended. Waits as long as that takes. Raises: Refused."""
    while True:
        found = await api.need("GET", address)
        if found["state"] != "running":
            return found
        await asyncio.sleep(LOOK_AGAIN)


async def import_file(api: Client, tenant_id: str, content: bytes, name: str) -> Any:
    """A whole import with the mapping that is proposed. Returns it as the API shows it. Raises: Refused."""
    address = await upload_import(api, tenant_id, content, name)
    await start_import(api, address)
    return await finished(api, address)
