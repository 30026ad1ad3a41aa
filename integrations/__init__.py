"""Adapters to what lies outside: one folder a vendor, each behind a port that tenants/ declares.

from mandant.integrations.objects import FolderObjectStore

store = FolderObjectStore(Path("var/objects"))
await store.open()
await store.put(object_key(tenant_id, file_id), sealed_chunks)
"""

__all__: list[str] = []
