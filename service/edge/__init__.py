"""What stands between the network and the handlers: one idea a file."""
