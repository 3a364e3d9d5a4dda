"""What the interop tests stand on: servers, clients and the gateway's process."""
