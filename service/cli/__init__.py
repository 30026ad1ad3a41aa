"""The commands: `mandant ...`, and under a host `litestar mandant ...`. One file a command group."""
