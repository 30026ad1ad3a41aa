"""The commands: `mandant ...`, and under a host `litestar mandant ...`. A file or folder a command group."""
