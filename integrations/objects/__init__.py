"""Where sealed files lie: a folder of this machine, or an S3 bucket.

store = FolderObjectStore(Path("var/objects"))                      # one machine
store = S3ObjectStore(S3Place(bucket="objects", region="eu-central-2"))   # production
await store.open()
await store.put(object_key(tenant_id, file_id), sealed_chunks)
await store.close()
"""

from mandant.integrations.objects.folder import FolderObjectStore
from mandant.integrations.objects.s3 import S3ObjectStore, S3Place

__all__ = ["FolderObjectStore", "S3ObjectStore", "S3Place"]
