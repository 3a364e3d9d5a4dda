"""A blocking HTTP/2 client by `h2`, for what grpcio and curl would never send."""
import socket
import struct

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from .schema import ECHO


def envelope(message, flags=0, length=None):
    """One gRPC message with its prefix; `length` lies about it."""
    return struct.pack(">BI", flags, len(message) if length is None else length) + message


class Response:
    """What came on one stream: fields as dicts, and as the pairs that they were."""

    def __init__(self):
        self.headers, self.trailers, self.body = {}, {}, b""
        self.fields, self.trailer_fields = [], []
        # `whole`: it ended by itself, whatever reset came afterwards.
        self.ended, self.whole, self.reset = False, False, None

    @property
    def status(self):
        return int(self.headers.get(":status", 0))

    @property
    def grpc_status(self):
        """The grpc-status of the trailers, or of a head that is all there is; None without one."""
        text = self.trailers.get("grpc-status", self.headers.get("grpc-status"))
        return None if text is None else int(text)

    def __repr__(self):
        return f"<{self.headers} {self.body[:200]!r} {self.trailers} ended={self.ended} reset={self.reset}>"


class Client:
    """One h2c connection with prior knowledge. Nothing is validated on the way out."""

    def __init__(self, port, seconds=10, settings=None):
        self._begin(socket.create_connection(("127.0.0.1", port), seconds), settings)

    @classmethod
    def over(cls, connection):
        """A client on a socket that is connected already, such as one of TLS."""
        client = cls.__new__(cls)
        client._begin(connection, None)
        return client

    def _begin(self, connection, settings):
        self.socket = connection
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        if settings:
            self.h2.local_settings = h2.settings.Settings(client=True, initial_values=settings)
        self.h2.initiate_connection()
        self.responses, self.goaways, self.closed, self.pings = {}, [], False, 0
        self.buffer = b""
        self.automatic_windows = True
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def open(self, path=f"/{ECHO}/Echo", headers=None, end=False, method="POST"):
        """Sends the head of a gRPC call (its headers replaced or, with None, removed) and returns the stream id."""
        fields = {":method": method, ":scheme": "http", ":path": path, ":authority": "gateway.test",
                  "content-type": "application/grpc", "te": "trailers", **(headers or {})}
        return self.open_raw([(name, value) for name, value in fields.items() if value is not None], end)

    def open_raw(self, fields, end=False):
        stream = self.h2.get_next_available_stream_id()
        self.responses[stream] = Response()
        self.h2.send_headers(stream, fields, end_stream=end)
        self.flush()
        return stream

    def send(self, stream, data, end=False):
        """Sends as the windows allow; waits for them."""
        while data or end:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data))
            if data and room <= 0:
                if not self.receive():
                    raise ConnectionError("closed while the body was being sent")
                continue
            piece, data = data[:room], data[room:]
            self.h2.send_data(stream, piece, end_stream=end and not data)
            self.flush()
            if not data:
                return

    def receive(self):
        """Handles the next bytes; False once the peer has closed."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        self.buffer += data
        for frame in self._frames():
            for event in self.h2.receive_data(frame):
                self._handle(event)
        self.flush()
        return True

    def _frames(self):
        """Whole frames, less GOAWAY: h2 would refuse everything after it, while calls in flight still go on."""
        while len(self.buffer) >= 9:
            length = 9 + int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < length:
                return
            frame, self.buffer = self.buffer[:length], self.buffer[length:]
            if frame[3] == 7:
                self.goaways.append((int.from_bytes(frame[9:13], "big"), int.from_bytes(frame[13:17], "big")))
            else:
                yield frame

    def _handle(self, event):
        response = self.responses.setdefault(getattr(event, "stream_id", None), Response())
        if isinstance(event, h2.events.ResponseReceived):
            response.fields, response.headers = event.headers, dict(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            response.trailer_fields, response.trailers = event.headers, dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            response.body += event.data
            if self.automatic_windows and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            response.ended = response.whole = True
        elif isinstance(event, h2.events.StreamReset):
            response.ended, response.reset = True, int(event.error_code)
        elif isinstance(event, h2.events.PingAckReceived):
            self.pings += 1

    @property
    def goaway(self):
        """The code of the last GOAWAY; None without one. `goaways` has each with its last stream."""
        return self.goaways[-1][1] if self.goaways else None

    def wait(self, stream):
        """The response, once it has ended or the connection has."""
        while not self.responses[stream].ended and self.receive():
            pass
        return self.responses[stream]

    def wait_for(self, condition):
        """Receives until the condition holds; False if the connection ends first."""
        while not condition():
            if not self.receive():
                return False
        return True

    def call(self, data, **options):
        """One call with this body: its response."""
        stream = self.open(**options)
        self.send(stream, data, end=True)
        return self.wait(stream)

    def frame(self, kind, flags, stream, payload):
        """Writes a frame of any bytes behind h2's back."""
        self.socket.sendall(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload)
