"""HTTP/2 PINGs towards clients: idle streams are kept, clients that are gone are found."""
import time

import h2.events
import pytest

from support import http2
from support.configuration import configuration, run_gateway

PATH = "/v1/stream?count=2&interval=30s&key="
HEADERS = {"te": None, "content-type": None, "accept": "text/event-stream"}


@pytest.fixture(scope="module")
def asking(echo, tmp_path_factory):
    settings = {"http2": {"keepalive": {"time": "300ms", "timeout": "600ms"}}, "limits": {"idle": "1s"}}
    gateway = run_gateway(tmp_path_factory.mktemp("keepalive"), configuration(echo.target, **settings))
    yield gateway
    gateway.stop()


class Watching(http2.Client):
    """Counts the PINGs that ask for a sign of life, not that of a graceful end; h2 answers them by itself."""

    asked = 0

    def _handle(self, event):
        if isinstance(event, h2.events.PingReceived) and any(event.ping_data):
            self.asked += 1
        super()._handle(event)


def test_a_silent_call_is_kept_while_the_client_answers(asking):
    with Watching(asking.port) as client:
        stream = client.open(PATH + "kept", HEADERS, method="GET", end=True)
        began = time.monotonic()
        assert client.wait_for(lambda: client.asked >= 6)
        assert 1.5 < time.monotonic() - began < 6
        assert not client.responses[stream].ended and client.goaway is None


def test_a_client_that_does_not_answer_is_gone(asking, echo):
    with http2.Client(asking.port) as client:
        client.open(PATH + "gone", HEADERS, method="GET", end=True)
        assert echo.journal.wait("gone", "started", 5)
        began = time.monotonic()
        # Nothing is read, and nothing answered.
        assert echo.journal.wait("gone", "cancelled", 5)
        assert 0.5 < time.monotonic() - began < 4


def test_without_a_call_nobody_is_asked(asking):
    with Watching(asking.port) as client:
        assert not client.wait_for(lambda: client.asked), "the idle limit closes the connection first"
        assert client.goaway == 0
