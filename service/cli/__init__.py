"""The commands: `mandant ...`, and under a host `litestar mandant ...`. One file or folder a command group."""
