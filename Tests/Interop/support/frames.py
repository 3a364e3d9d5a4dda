"""HTTP/2 by frames alone, both sides: thousands of streams on one connection, where `h2` takes too long.

What is sent has no HPACK table: every field is a literal. What is received is decoded by `hpack`."""
import collections
import contextlib
import socket
import struct
import threading

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4


def frame(kind, flags, stream, payload):
    return struct.pack(">IBBI", len(payload), kind, flags, stream)[1:] + payload


def literals(fields):
    """A block of short fields."""
    return b"".join(b"\x10" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
                    for name, value in fields.items())


def settings(values):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in values.items()))


class Message:
    """What came on a stream: fields of its heads, the last one's winning, and its body."""
    __slots__ = ("stream", "fields", "body", "ended", "reset")

    def __init__(self, stream):
        self.stream, self.fields, self.body, self.ended, self.reset = stream, {}, b"", False, None


class FrameConnection:
    """Reads on a thread of its own. `when_ended(connection, message)` is called there for each stream that the peer ends;
    `when_begun` with its first head."""

    def __init__(self, connection, preface, when_ended, when_begun=None, own_settings=None):
        self.socket, self.when_ended, self.when_begun = connection, when_ended, when_begun
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.messages, self.decoder = {}, hpack.Decoder()
        self.changed = threading.Condition()
        self.window, self.is_closed, self.goaways = 65535, False, []
        self.settings = collections.Counter()
        self.send(preface + settings(own_settings or {}) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", (1 << 31) - 65536)))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def send(self, data, body_bytes=0):
        """Sends frames of which so many bytes count against the connection's window, and waits for that."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.is_closed or self.window >= body_bytes, 60), "no window"
            self.window -= body_bytes
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def _read(self):
        buffer = b""
        with contextlib.suppress(OSError):
            while data := self.socket.recv(1 << 20):
                buffer += data
                if buffer.startswith(PREFACE[:3]):
                    buffer = buffer[len(PREFACE):]
                at, end = 0, len(buffer)
                while end - at >= 9:
                    length = int.from_bytes(buffer[at:at + 3], "big")
                    if end - at - 9 < length:
                        break
                    kind, flags, stream = struct.unpack_from(">BBI", buffer, at + 3)
                    self._handle(kind, flags, stream, buffer[at + 9:at + 9 + length])
                    at += 9 + length
                buffer = buffer[at:]
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()

    def _handle(self, kind, flags, stream, payload):
        if kind == HEADERS:
            assert flags & END_HEADERS and not flags & 0x28, "a head in pieces"
            message = self.messages.get(stream)
            is_new = message is None
            message = self.messages.setdefault(stream, Message(stream))
            message.fields.update(self.decoder.decode(payload))
            if is_new and self.when_begun:
                self.when_begun(self, message)
        elif kind == DATA:
            message = self.messages.setdefault(stream, Message(stream))
            message.body += payload
        elif kind == RST_STREAM:
            message = self.messages.setdefault(stream, Message(stream))
            message.reset = int.from_bytes(payload, "big")
            flags = END_STREAM
        elif kind == WINDOW_UPDATE and stream == 0:
            with self.changed:
                self.window += int.from_bytes(payload, "big")
                self.changed.notify_all()
            return
        elif kind == PING and not flags & ACK:
            return self.send(frame(PING, ACK, 0, payload))
        elif kind == SETTINGS and not flags & ACK:
            self.settings.update(dict(struct.iter_unpack(">HI", payload)))
            return self.send(frame(SETTINGS, ACK, 0, b""))
        elif kind == GOAWAY:
            self.goaways.append(struct.unpack_from(">II", payload))
            return
        else:
            return
        if flags & END_STREAM and not message.ended:
            message.ended = True
            self.when_ended(self, message)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.socket.close()


def envelope(message):
    return struct.pack(">BI", 0, len(message)) + message


class FrameUpstream:
    """Holds every call that has come in whole until `release`, which answers it with what it sent. With `first` a message
    is sent at once, and another one at the end."""

    HEAD = literals({":status": "200", "content-type": "application/grpc"})
    GOOD = literals({"grpc-status": "0"})

    def __init__(self, first=False, settings=None):
        self.first, self.settings = first, settings
        self.held, self.changed, self.connections, self.resets = [], threading.Condition(), [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.target = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self.listener.accept()
                self.connections.append(FrameConnection(accepted, b"", self._ended, own_settings=self.settings))

    def _ended(self, connection, message):
        if message.reset is not None:
            self.resets += 1
            return
        if self.first:
            connection.send(frame(HEADERS, END_HEADERS, message.stream, self.HEAD)
                            + frame(DATA, 0, message.stream, message.body), len(message.body))
        with self.changed:
            self.held.append((connection, message))
            self.changed.notify_all()

    def wait(self, count, seconds=60):
        """Whether so many calls are held at the same time."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.held) >= count, seconds)

    def release(self):
        """Answers all that is held; returns how many that were."""
        with self.changed:
            held, self.held = self.held, []
        for connection, message in held:
            head = b"" if self.first else frame(HEADERS, END_HEADERS, message.stream, self.HEAD)
            connection.send(head + frame(DATA, 0, message.stream, message.body)
                            + frame(HEADERS, END_HEADERS | END_STREAM, message.stream, self.GOOD), len(message.body))
        return len(held)

    def __exit__(self, *exception):
        self.listener.close()
        for connection in self.connections:
            connection.close()


class FrameClient:
    """One connection to the gateway, on which calls are opened in numbers."""

    def __init__(self, port):
        self.changed, self.answers, self.begun, self.next = threading.Condition(), [], 0, 1
        self.connection = FrameConnection(socket.create_connection(("127.0.0.1", port)), PREFACE, self._ended, self._begun)

    def _begun(self, connection, message):
        with self.changed:
            self.begun += 1
            self.changed.notify_all()

    def _ended(self, connection, message):
        with self.changed:
            self.answers.append(message)
            self.changed.notify_all()

    def open(self, fields, bodies):
        """Opens a stream for each body, with these fields; without a body it is the head alone. Returns their ids."""
        block, streams = literals(fields), []
        pieces, count = [], 0
        for body in bodies:
            flags = END_HEADERS if body is not None else END_HEADERS | END_STREAM
            pieces.append(frame(HEADERS, flags, self.next, block))
            if body is not None:
                pieces.append(frame(DATA, END_STREAM, self.next, body))
                count += len(body)
            streams.append(self.next)
            self.next += 2
        self.connection.send(b"".join(pieces), count)
        return streams

    def wait(self, count, seconds=60):
        """Whether so many calls have been answered."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.answers) >= count or self.connection.is_closed, seconds)

    def wait_begun(self, count, seconds=60):
        """Whether the heads of so many answers have come."""
        with self.changed:
            return self.changed.wait_for(lambda: self.begun >= count or self.connection.is_closed, seconds)

    def close(self):
        self.connection.close()
