"""What the client's halves of all protocols share."""
from .framing import single


class Protocol:
    """One call. `head_fields` and `send` make the request; `receive_head`, `receive` and `end` read the answer: payloads go
    to `payloads`, and how it ended to `failure`, `leading` and `trailing`."""

    method = "POST"
    uses_http_trailers = False
    # Whether the gateway says of an error of its own that it is one.
    tells_gateway_error = True

    def __init__(self, codec, coding, is_stream):
        self.codec, self.coding, self.is_stream = codec, coding, is_stream
        self.payloads, self.failure, self.has_ended = [], None, False
        self.leading, self.trailing, self.trailer_pairs = {}, {}, []
        self.status, self.fields, self.compressed = None, [], 0
        self.is_trailers_only = False

    def path(self, path):
        return path

    def finish(self):
        """What the body ends with."""
        return b""

    def broken(self, error):
        """The answer was cut."""
        raise error

    def check_leaks(self, allowed):
        """No field of another protocol, nor of the hop behind the gateway."""
        for name, _ in self.fields:
            assert name not in ("te", "upgrade", "keep-alive"), self.fields
            if name.startswith(("grpc-", "connect-", "trailer-", "proxy-")):
                assert name in allowed or name.startswith("trailer-") and "trailer-*" in allowed, self.fields
        for name in ("content-type", "content-length", "date", "content-encoding"):
            single(self.fields, name)
