"""TLS clients by Python's ssl: a socket with every choice open, HTTP requests, and records cut by hand."""
import http.client
import json
import socket
import ssl

from .http1 import Answer, RawConnection

HTTP2 = "h2"
HTTP1 = "http/1.1"


def client_context(authority, identity=None, protocols=(), newest=None, oldest=None):
    """A context that trusts `authority` and checks the name."""
    context = ssl.create_default_context(cafile=authority.file)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if identity:
        context.load_cert_chain(identity.chain, identity.key_file)
    if newest:
        # OpenSSL's own default refuses to offer what is that old.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = oldest or newest
        context.maximum_version = newest
    return context


def connect(port, context, name="localhost", session=None, seconds=10):
    """A socket with the handshake done."""
    plain = socket.create_connection(("127.0.0.1", port), seconds)
    try:
        return context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False, session=session)
    except BaseException:
        plain.close()
        raise


class SecureConnection(RawConnection):
    """RawConnection over TLS."""

    def __init__(self, port, context, **options):
        self.socket = connect(port, context, **options)
        self.buffer = b""


def request(port, context, method, path, body=None, headers=None):
    """One HTTP/1.1 request; a dict as body is sent as JSON."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    try:
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("content-type", "application/json")
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


class HandMade:
    """A client whose TLS bytes a test moves itself: `outgoing()` takes what is to be sent."""

    def __init__(self, port, context, seconds=10):
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.written = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.written, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def outgoing(self):
        return self.written.read()

    def begin(self):
        """The bytes of the ClientHello."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing()

    def shake_hands(self, send=None):
        """Does the handshake; `send` sends in place of the socket's own way."""
        send = send or self.socket.sendall
        data = self.begin()
        while True:
            send(data)
            self.incoming.write(self.socket.recv(65536))
            try:
                self.tls.do_handshake()
                self.last = self.outgoing()
                return
            except ssl.SSLWantReadError:
                data = self.outgoing()

    def records(self, data, size):
        """`data` as records of at most `size` bytes of plaintext."""
        for start in range(0, len(data), size):
            self.tls.write(data[start:start + size])
        return self.outgoing()

    def end(self):
        """The bytes of close_notify."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing()

    def read_until(self, mark):
        """Plaintext up to and with `mark`; what there is when the gateway closes first."""
        found = b""
        while mark not in found:
            try:
                found += self.tls.read(65536)
                continue
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                break
            data = self.socket.recv(65536)
            if not data:
                break
            self.incoming.write(data)
        return found
