"""A DNS server for one process: answers A, AAAA and SRV over UDP and TCP from a table that tests change as it runs."""
import contextlib
import ipaddress
import socket
import struct
import threading
import time

A, AAAA, SRV = 1, 28, 33
SERVFAIL, NXDOMAIN = 2, 3
UDP_BYTES_MAX = 512


class DNSServer:
    """`names` maps a name to its addresses, `services` one to the (priority, weight, port, host) of its SRV records; a name
    that is not there is NXDOMAIN. All of it may change at any time."""

    def __init__(self):
        self.names, self.services = {}, {}
        # Seconds that records live; those of addresses may live longer.
        self.ttl, self.address_ttl = 1, None
        # With a code every question gets it; with a delay every answer comes so many seconds late.
        self.code, self.delay, self.silent = None, 0, False
        # What was asked, and when by the monotonic clock.
        self.questions, self.times = [], []
        self.changed = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        for serve in (self._serve, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()
        self.listener.close()

    def target(self, name, port):
        return f"dns://127.0.0.1:{self.port}/{name}:{port}"

    def service_target(self, name):
        return f"srv://127.0.0.1:{self.port}/{name}"

    def wait_for_question(self, seconds=10):
        """Waits until one more question has come."""
        with self.changed:
            count = len(self.questions)
            assert self.changed.wait_for(lambda: len(self.questions) > count, seconds), "no question came"

    def look_ups(self, kind=A):
        """When questions for that kind of record came."""
        with self.changed:
            return [at for (_, asked), at in zip(self.questions, self.times) if asked == kind]

    def _serve(self):
        while True:
            try:
                packet, client = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = self._reply(packet)
            if answer is not None and len(answer) > UDP_BYTES_MAX:
                # Truncated: ask again over TCP.
                answer = answer[:2] + b"\x83\x80" + b"\0\1\0\0\0\0\0\0" + packet[12:self._question(packet)[2]]
            if answer is not None:
                with contextlib.suppress(OSError):  # the test is over
                    self.socket.sendto(answer, client)

    def _serve_tcp(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                client.settimeout(5)
                packet = stream.read(struct.unpack(">H", stream.read(2))[0])
                answer = self._reply(packet)
                if answer is not None:
                    client.sendall(struct.pack(">H", len(answer)) + answer)

    def _reply(self, packet):
        """The answer; nothing while it is silent."""
        name, kind, end = self._question(packet)
        with self.changed:
            self.questions.append((name, kind))
            self.times.append(time.monotonic())
            self.changed.notify_all()
        if self.silent:
            return None
        time.sleep(self.delay)
        return self._answer(packet, name, kind, end)

    @staticmethod
    def _question(packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += packet[at] + 1
        return ".".join(labels).lower(), struct.unpack_from(">H", packet, at + 1)[0], at + 5

    def _answer(self, packet, name, kind, end):
        addresses = [ipaddress.ip_address(text) for text in self.names.get(name, [])]
        fitting = [address.packed for address in addresses if kind == (A if address.version == 4 else AAAA)]
        if kind == SRV:
            fitting = [struct.pack(">HHH", *record[:3]) + self._name(record[3]) for record in self.services.get(name, [])]
        is_known = name in self.names or name in self.services
        code = self.code if self.code is not None else 0 if is_known else NXDOMAIN
        if code:
            fitting = []
        flags = 0x8180 | code
        answer = packet[:2] + struct.pack(">HHHHH", flags, 1, len(fitting), 0, 0) + packet[12:end]
        ttl = self.ttl if kind == SRV or self.address_ttl is None else self.address_ttl
        for data in fitting:
            answer += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data
        return answer

    @staticmethod
    def _name(host):
        labels = [label.encode() for label in host.split(".") if label]
        return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
