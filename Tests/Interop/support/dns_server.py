"""A DNS server for one process: answers A and AAAA over UDP from a table that tests change as it runs."""
import ipaddress
import socket
import struct
import threading
import time

A, AAAA = 1, 28
SERVFAIL, NXDOMAIN = 2, 3


class DNSServer:
    """`names` maps a name to its addresses; a name that is not there is NXDOMAIN. All of it may change at any time."""

    def __init__(self):
        self.names, self.ttl = {}, 1
        # With a code every question gets it; with a delay every answer comes so many seconds late.
        self.code, self.delay, self.silent = None, 0, False
        self.questions = []
        self.changed = threading.Condition()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def target(self, name, port):
        return f"dns://127.0.0.1:{self.port}/{name}:{port}"

    def wait_for_question(self, seconds=10):
        """Waits until one more question has come."""
        with self.changed:
            count = len(self.questions)
            assert self.changed.wait_for(lambda: len(self.questions) > count, seconds), "no question came"

    def _serve(self):
        while True:
            try:
                packet, client = self.socket.recvfrom(4096)
            except OSError:
                return
            name, kind, end = self._question(packet)
            with self.changed:
                self.questions.append((name, kind))
                self.changed.notify_all()
            if self.silent:
                continue
            time.sleep(self.delay)
            self.socket.sendto(self._answer(packet, name, kind, end), client)

    @staticmethod
    def _question(packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += packet[at] + 1
        return ".".join(labels).lower(), struct.unpack_from(">H", packet, at + 1)[0], at + 5

    def _answer(self, packet, name, kind, end):
        addresses = [ipaddress.ip_address(text) for text in self.names.get(name, [])]
        fitting = [address for address in addresses if kind == (A if address.version == 4 else AAAA)]
        code = self.code if self.code is not None else 0 if name in self.names else NXDOMAIN
        if code:
            fitting = []
        flags = 0x8180 | code
        answer = packet[:2] + struct.pack(">HHHHH", flags, 1, len(fitting), 0, 0) + packet[12:end]
        for address in fitting:
            data = address.packed
            answer += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, self.ttl, len(data)) + data
        return answer
