"""An upstream that does on each call what a test's script says, by `h2` or by raw bytes."""
import socket
import struct
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings


class Call:
    """One stream at the upstream, in the hands of a script."""

    def __init__(self, connection, stream, headers):
        self.connection, self.stream, self.headers = connection, stream, dict(headers)
        self.fields = list(headers)
        self.body, self.ended = b"", False

    def all(self, name):
        """Every value that a field was sent with."""
        return [value for key, value in self.fields if key == name]

    def head(self, fields=None, end=False):
        fields = {":status": "200", "content-type": "application/grpc", **(fields or {})}
        with self.connection.lock:
            self.connection.h2.send_headers(self.stream, [pair for pair in fields.items() if pair[1] is not None],
                                            end_stream=end)
            self.connection.flush()

    def data(self, data, end=False):
        with self.connection.lock:
            self.connection.h2.send_data(self.stream, data, end_stream=end)
            self.connection.flush()

    def trailers(self, fields):
        with self.connection.lock:
            self.connection.h2.send_headers(self.stream, list(fields.items()), end_stream=True)
            self.connection.flush()

    def reset(self, code):
        with self.connection.lock:
            self.connection.h2.reset_stream(self.stream, code)
            self.connection.flush()

    def frame_reset(self, code):
        """RST_STREAM behind h2's back: for a stream that it holds for closed."""
        self.raw(b"\0\0\x04\x03\0" + struct.pack(">II", self.stream, code))

    def header_frames(self, fields, end=False, piece=None):
        """The bytes of a HEADERS frame with any fields, cut into CONTINUATION frames every `piece` bytes."""
        with self.connection.lock:
            block = self.connection.h2.encoder.encode(fields)
        pieces = [block[at:at + piece] for at in range(0, len(block), piece)] if piece else [block]
        frames = b""
        for index, part in enumerate(pieces):
            flags = (1 if end and index == 0 else 0) | (4 if index == len(pieces) - 1 else 0)
            frames += struct.pack(">IBBI", len(part), 9 if index else 1, flags, self.stream)[1:] + part
        return frames

    def goaway(self, last_stream, code=0):
        """A GOAWAY frame written by hand: h2 would end the connection with it."""
        payload = struct.pack(">II", last_stream, code)
        self.raw(b"\0\0\x08\x07\0\0\0\0\0" + payload)

    def raw(self, data):
        with self.connection.lock:
            self.connection.socket.sendall(data)

    def close(self):
        """Closes the connection."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)

    def abort(self):
        """Closes the connection with a TCP reset."""
        self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.socket.close()


class Connection:
    """One connection from the gateway; runs the script when a call has come in whole. Scripts may go on in threads of their
    own: `lock` keeps them apart, as h2 does not."""

    def __init__(self, upstream, accepted):
        self.upstream, self.socket, self.lock = upstream, accepted, threading.RLock()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False))
        self.calls = {}

    def flush(self):
        with self.lock:
            self.socket.sendall(self.h2.data_to_send())

    def serve(self):
        try:
            if self.upstream.settings:
                self.h2.local_settings = h2.settings.Settings(client=False, initial_values=self.upstream.settings)
            self.h2.initiate_connection()
            self.flush()
            while data := self.socket.recv(65536):
                with self.lock:
                    events = self.h2.receive_data(data)
                for event in events:
                    self._handle(event)
                self.flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass  # the script, or the gateway, has ended it
        finally:
            self.socket.close()

    def _handle(self, event):
        call = self.calls.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RequestReceived):
            self.calls[event.stream_id] = Call(self, event.stream_id, event.headers)
        elif isinstance(event, h2.events.DataReceived) and call:
            call.body += event.data
            with self.lock:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if self.upstream.piece is not None:
                self.upstream.piece(call)
        elif isinstance(event, h2.events.StreamEnded) and call:
            call.ended = True
            self.upstream.calls.append(call)
            self.upstream.script(call)
        elif isinstance(event, h2.events.StreamReset):
            with self.upstream.changed:
                self.upstream.resets.append(event.error_code)
                self.upstream.changed.notify_all()


class ScriptedUpstream:
    """Listens on a free port. `script(call)` answers each call that has come in whole; `piece(call)` sees every piece of a
    body before that; `greet(socket)`, where set, replaces all of HTTP/2. `tls`: the context of a server that speaks it.
    `settings`: those that differ from HTTP/2's own; `streams_max`: MAX_CONCURRENT_STREAMS."""

    def __init__(self, script=None, greet=None, tls=None, piece=None, streams_max=None, settings=None, port=0):
        self.settings = dict(settings or {})
        if streams_max is not None:
            self.settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = streams_max
        self.script, self.greet, self.tls, self.piece = script, greet, tls, piece
        self.calls, self.resets, self.changed = [], [], threading.Condition()
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.target = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def _accept(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            # A script writes in small pieces, and nobody should wait for them.
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            run = self._serve if self.greet is None else self._greet
            threading.Thread(target=run, args=(accepted,), daemon=True).start()

    def _serve(self, accepted):
        if self.tls is not None:
            try:
                accepted = self.tls.wrap_socket(accepted, server_side=True)
            except OSError:
                return
        Connection(self, accepted).serve()

    def _greet(self, accepted):
        try:
            self.greet(accepted)
        except OSError:
            pass
        accepted.close()

    def wait_reset(self, seconds):
        with self.changed:
            return self.changed.wait_for(lambda: self.resets, seconds)
