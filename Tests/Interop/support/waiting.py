"""Waiting for what happens, instead of for a time in which it should have."""
import time


def eventually(condition, seconds=10):
    """Whether the condition comes to hold; it is looked at again and again."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def established(port):
    """What the kernel holds for each open IPv4 connection of this local port: bytes to be sent."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in list(file)[1:]]
    return [int(row[4].split(":")[0], 16) for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
