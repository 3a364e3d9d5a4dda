"""Slow readers and writers: a server whose streams never end or that reads slowly, and clients with a pace of their own."""
import collections
import socket
import threading
import time
from concurrent import futures

import grpc

from .. import http1
from ..http2 import Client
from .framing import envelope
from .protocols import protocol
from .raw_client import encode
from .schema import SERVICE, Item, Order
from .transport import HTTP1Request

MESSAGE_BYTES = 64 << 10


class FlowServer:
    """`Unary` echoes; `ServerStream` never ends; `ClientStream` reads no faster than `pace` bytes a second, None for no
    limit. `bytes` counts what went through the streams."""

    def __init__(self):
        self.pace, self.changed, self.bytes = None, threading.Condition(), 0
        self.server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        shapes = {"Unary": grpc.unary_unary_rpc_method_handler(self.unary, Order.FromString, Item.SerializeToString),
                  "ServerStream": grpc.unary_stream_rpc_method_handler(self.server_stream),
                  "ClientStream": grpc.stream_unary_rpc_method_handler(self.client_stream)}
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, shapes),))
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def stop(self):
        self.server.stop(None).wait()

    def unary(self, order, context):
        return Item(key=order.key)

    def server_stream(self, _, context):
        item = Item(filling=bytes(MESSAGE_BYTES)).SerializeToString()
        while context.is_active():
            yield item
            self._count(MESSAGE_BYTES)

    def client_stream(self, orders, context):
        start, here = time.monotonic(), 0
        for order in orders:
            here += len(order)
            self._count(len(order))
            with self.changed:
                while self.pace is not None and (wait := start + here / self.pace - time.monotonic()) > 0:
                    self.changed.wait(wait)
        return Item(number=here).SerializeToString()

    def _count(self, size):
        with self.changed:
            self.bytes += size

    def hurry(self):
        with self.changed:
            self.pace = None
            self.changed.notify_all()

    def settled(self):
        """The count once it rests: nothing moves any more."""
        while True:
            before = self.bytes
            time.sleep(0.2)
            if self.bytes == before:
                return before


class Call1:
    """A stream over HTTP/1.1; unary calls on a connection beside it."""

    def __init__(self, port, cell):
        fields = protocol(cell).head_fields(None)
        self.request = HTTP1Request(port, None, "POST", path(cell), fields, streamed=cell.sends_stream)
        self.socket = self.request.raw.socket
        # Small and fixed, so that the kernel hides no more than that.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 << 10)
        self.beside = http1.Connection(port)
        self.port, self.rest, self.wire_bytes = port, b"", 0

    def close(self):
        self.request.close()
        self.beside.http.close()

    def start_reading(self, body):
        self.request.send(body, end=True)
        status, _ = self.request.head()
        assert status == 200

    def read(self, count):
        """Reads about so many bytes of the body: how many."""
        self.socket.settimeout(40)
        data = self.socket.recv(min(count, 1 << 20))
        assert data, "the stream ended"
        return len(data)

    def write(self, body):
        """Writes what goes, without waiting, of endless repetitions of this body: how many bytes."""
        self.socket.settimeout(0)
        sent = 0
        try:
            while True:
                if not self.rest:
                    self.rest = b"%x\r\n%b\r\n" % (len(body), body)
                count = self.socket.send(self.rest)
                self.rest, sent = self.rest[count:], sent + count
        except BlockingIOError:
            return sent
        finally:
            self.socket.settimeout(40)

    def unary(self):
        answer = self.beside.request("POST", f"/{SERVICE}/Unary", {"key": "k"})
        assert answer.json == {"key": "k"}, answer

    def finish(self):
        """Ends the request and waits for the answer's head."""
        self.socket.settimeout(40)
        self.request.raw.send(self.rest + b"0\r\n\r\n")
        assert self.request.head()[0] == 200
        while self.request.read() is not None:
            pass


class CountingClient(Client):
    """Counts the bytes of a body instead of keeping them, for the streams in `counted`; their windows are the test's."""

    def _handle(self, event):
        stream = getattr(event, "stream_id", None)
        if stream in self.counted and hasattr(event, "flow_controlled_length"):
            self.counted[stream] += len(event.data)
            if event.flow_controlled_length:
                self.h2.increment_flow_control_window(event.flow_controlled_length)
            return
        super()._handle(event)


class Call2:
    """A stream over HTTP/2; unary calls on the same connection."""

    def __init__(self, port, cell):
        self.client = CountingClient(port, seconds=40)
        self.client.counted = collections.Counter()
        fields = dict(protocol(cell).head_fields(None))
        self.stream = self.client.open(path(cell), {**fields, "te": fields.get("te")})
        self.rest, self.granted, self.taken = b"", 65_535, 0

    def close(self):
        self.client.socket.close()

    def start_reading(self, body):
        self.client.counted[self.stream] = 0
        self.client.send(self.stream, body, end=True)

    def read(self, count):
        """Has the window open for so many bytes, and waits for some of them."""
        more = count - (self.granted - self.taken)
        if more > 0:
            self.client.h2.increment_flow_control_window(more, self.stream)
            self.granted += more
            self.client.flush()
        assert self.client.wait_for(lambda: self.client.counted[self.stream] > self.taken)
        taken, self.taken = self.client.counted[self.stream] - self.taken, self.client.counted[self.stream]
        assert not self.client.responses[self.stream].ended
        return taken

    def write(self, body):
        """Writes what the window allows of endless repetitions of this body: how many bytes."""
        sent = 0
        while room := min(self.client.h2.local_flow_control_window(self.stream), self.client.h2.max_outbound_frame_size):
            self.rest = self.rest or body
            piece, self.rest = self.rest[:room], self.rest[room:]
            self.client.h2.send_data(self.stream, piece)
            self.client.flush()
            sent += len(piece)
        return sent

    def unary(self):
        stream = self.client.open(f"/{SERVICE}/Unary")
        self.client.send(stream, envelope(Order(key="k").SerializeToString()), end=True)
        response = self.client.wait(stream)
        assert response.grpc_status == 0, response

    def finish(self):
        self.client.send(self.stream, self.rest, end=True)
        assert self.client.wait(self.stream).status == 200


def call(port, cell):
    return Call1(port, cell) if cell.http == "1.1" else Call2(port, cell)


def path(cell):
    return protocol(cell).path(f"/{SERVICE}/{cell.method}")


def on_wire(cell, message):
    """The body of a request with one message, and one of those in an endless one: not of a JSON array."""
    return protocol(cell).send(encode(cell.codec, message))


def order(cell):
    """The body of a request with one message."""
    return on_wire(cell, Order(key="k"))


def big_order(cell):
    """One message of about MESSAGE_BYTES, and how many bytes of it come to the server for each byte of the body."""
    body = on_wire(cell, Order(data=bytes(MESSAGE_BYTES)))
    return body, MESSAGE_BYTES / len(body)


def answer_ratio(cell):
    """Bytes of a message for each byte of an answer's body."""
    return MESSAGE_BYTES / len(on_wire(cell, Item(filling=bytes(MESSAGE_BYTES))))
