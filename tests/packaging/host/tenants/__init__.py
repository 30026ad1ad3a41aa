"""A host's own folder of this name."""

OURS = "the host's tenants"
