"""Envelopes that lie: lengths of 2^31 and 2^32-1, unknown flags, cut ones; and messages that are too many or too few."""
import pytest

from support.http2 import Client, envelope
from support.schema import ECHO, Everything, StreamItem

MESSAGE = Everything(text="a").SerializeToString()

# name → bytes of the body, the statuses that may answer it
BAD = {
    "length of 2^31": (envelope(b"abc", length=2**31), {8}),
    "length of 2^32 - 1": (envelope(b"abc", length=2**32 - 1), {8}),
    "length of 4 MiB + 1": (envelope(b"abc", length=(4 << 20) + 1), {8}),
    "prefix cut after 1 byte": (b"\0", {3, 13}),
    "prefix cut after 4 bytes": (b"\0\0\0\0", {3, 13}),
    "message cut": (envelope(b"abc", length=100), {3, 13}),
    "second message cut": (envelope(MESSAGE) + b"\0\0", {3, 12, 13}),
    "compressed without a coding": (envelope(MESSAGE, flags=1), {13}),
    "flag 2": (envelope(MESSAGE, flags=2), {3, 13}),
    "flag 128": (envelope(MESSAGE, flags=128), {3, 13}),
    "flag 255": (envelope(MESSAGE, flags=255), {3, 13}),
    "no message": (b"", {3, 12, 13}),
    "two messages": (envelope(MESSAGE) * 2, {3, 12, 13}),
    "no protobuf": (envelope(b"\xff\xff\xff"), {2, 3, 13}),
}


@pytest.fixture
def client(gateway):
    with Client(gateway.port) as client:
        yield client


@pytest.mark.parametrize("data, statuses", BAD.values(), ids=BAD.keys())
def test_bad_envelopes_of_a_unary_call(client, data, statuses):
    response = client.call(data)
    assert response.grpc_status in statuses, response
    good = client.call(envelope(MESSAGE))
    assert (good.grpc_status, good.body) == (0, envelope(MESSAGE)), "the connection is unharmed"


@pytest.mark.parametrize("data, statuses", [
    (envelope(b"", length=2**31), {8}), (envelope(b"", length=2**32 - 1), {8}), (envelope(b"x", flags=4), {3, 13})])
def test_a_stream_ends_at_a_bad_envelope(client, data, statuses):
    """What came before it has been answered."""
    stream = client.open(path=f"/{ECHO}/Bidi")
    good = envelope(StreamItem(index=1, payload=b"p").SerializeToString())
    client.send(stream, good)
    assert client.wait_for(lambda: client.responses[stream].body == good)
    client.send(stream, data)
    response = client.wait(stream)
    assert response.grpc_status in statuses, response


def test_a_length_alone_takes_no_memory(gateway):
    before = gateway.resident_kilobytes()
    clients = [Client(gateway.port) for _ in range(20)]
    try:
        for client in clients:
            for _ in range(20):
                client.send(client.open(), envelope(b"x", length=(4 << 20) - 1))
        for client in clients:
            client.h2.ping(b"all-read")
            client.flush()
            assert client.wait_for(lambda: client.pings == 1)
        assert gateway.resident_kilobytes() - before < 100_000, "400 announced messages of 4 MiB"
    finally:
        for client in clients:
            client.socket.close()
