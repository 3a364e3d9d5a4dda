"""What a cell's call sends and orders, and what must come of it."""
import base64
import random
import uuid

from .outcome import Outcome
from .raw_client import encode
from .schema import (BYTES, ERROR_DEBUG, ERROR_MESSAGE, LEADING, TRAILING, Item, Order, error_details)

# The message limit of the gateway that serves the matrix, in bytes.
LIMIT = 64 << 10
TIMEOUT_MS = 500
TEXT = "naïve 🦊 \u2028 \"\\ \0"
NUMBER = 2**60 + 1
ERRORS = {"error": ("not_found", 5), "mid-error": ("aborted", 10)}
# Seconds that are never waited out when all is well.
PATIENCE = 20


class Scenario:
    """The messages of one call (`orders`), what the client does besides, and `check`."""

    def __init__(self, cell, journal):
        self.cell, self.journal, self.key = cell, journal, uuid.uuid4().hex
        self.timeout = TIMEOUT_MS if cell.outcome == "deadline" else None
        self.cancels = cell.outcome == "cancel"
        # The client has not ended its request when the answer ends.
        self.leaves_open = cell.sends_stream and cell.outcome in ("deadline", "cancel", "mid-error") and (
            cell.is_full_duplex or cell.kind == "client-stream")
        # Answers that a full-duplex client waits for before it sends more.
        self.answers_in_turn = {"ok": 3, "exact": 3, "mid-error": 2, "deadline": 1, "cancel": 1}.get(cell.outcome, 0)
        self.orders = self._orders()

    def _orders(self):
        count = 3 if self.cell.sends_stream else 1
        if self.cell.kind == "client-stream" and self.cell.outcome == "mid-error":
            count = 2
        orders = [Order(key=self.key, index=index, text=TEXT, data=BYTES, number=NUMBER) for index in range(count)]
        self._plan(orders[0].plan)
        if self.cell.outcome == "exact":
            for order in orders:
                self._fill(order, LIMIT)
        if self.cell.outcome == "oversize":
            self._fill(orders[-1], LIMIT + 1)
        return orders

    def _plan(self, plan):
        outcome = self.cell.outcome
        plan.head_first = outcome != "error"
        plan.gzip = self.cell.coding == "gzip" or (self.cell.coding != "identity" and self.cell.protocol != "grpc")
        if outcome in ERRORS:
            plan.code = ERRORS[outcome][1]
        plan.hold = outcome in ("deadline", "cancel")
        if self.cell.answers_stream:
            plan.answers = {"error": 0, "mid-error": 2, "deadline": 1, "cancel": 1}.get(
                outcome, 0 if self.cell.kind == "bidi" else 3)
        if self.cell.kind == "client-stream" and outcome == "mid-error":
            plan.reads = 1
        plan.random = self._is_passed_through and outcome == "oversize-answer"
        plan.answer_bytes = {"exact": LIMIT, "oversize-answer": LIMIT + 1}.get(outcome, 0)

    @property
    def _is_passed_through(self):
        """Whether messages go through as they are: then the limit is for what is on the wire, compressed or not."""
        return self.cell.protocol.startswith("grpc") and self.cell.codec == "proto"

    def _fill(self, order, size):
        """Makes the message `size` bytes long as the codec writes it. One more letter is one more byte in each."""
        order.text, order.data = "", b""
        name, letters = "text", lambda count: "x" * count
        if self._is_passed_through and self.cell.outcome == "oversize":
            name, letters = "data", random.randbytes
        count = size - len(encode(self.cell.codec, order))
        while True:
            setattr(order, name, letters(count))
            over = len(encode(self.cell.codec, order)) - size
            if over == 0:
                return
            count -= over

    def wait_started(self):
        assert self.journal.wait(self.key, "started", PATIENCE), "the call never came to the server"

    # What must come of it.

    def check(self, outcome):
        expected = self.expected()
        assert outcome.code == expected.code, outcome
        if outcome.tells_gateway_error:
            assert (outcome.gateway_error is not None) == (self.cell.outcome in ("deadline", "oversize", "oversize-answer")), outcome
        if expected.message:
            assert outcome.message == expected.message, outcome
        if expected.details and outcome.details is not None:
            assert outcome.details == expected.details, outcome
        if outcome.debug is not None and expected.details:
            # Connect: the detail's JSON where its type is known.
            assert outcome.debug == [ERROR_DEBUG, None], outcome.debug
        if outcome.compressed is not None and self.cell.outcome == "exact" and self.cell.coding != "identity":
            assert outcome.compressed, f"64 KiB came as they are, though the client accepts {self.cell.coding}"
        self._check_items(outcome.items, expected.items)
        for name in ("leading", "trailing"):
            wanted, found = getattr(expected, name), getattr(outcome, name)
            if wanted is not None and found is not None:
                found = {name: values for name, values in found.items() if name != "x-request-id"}  # the gateway's own
                assert found == wanted, (name, outcome)
        self._check_server()

    def _check_items(self, items, expected):
        if self.cell.outcome in ("oversize", "oversize-answer"):
            # What came before it has been answered, or not yet.
            assert all(item.key == self.key for item in items), items
            return
        assert len(items) == len(expected), (len(items), len(expected))
        for item, wanted in zip(items, expected):
            if self.cell.outcome == "exact":
                assert item.ByteSize() == LIMIT
                continue
            if item.metadata:
                self._check_metadata(item.metadata)
                item.ClearField("metadata")
            assert item == wanted

    @staticmethod
    def _check_metadata(metadata):
        """What the server saw of the client's head."""
        assert metadata["x-one"] == "1" and metadata["x-many"] == "a, b, c", metadata
        assert metadata["x-data-bin"] == base64.b64encode(BYTES).decode(), metadata
        for name in metadata:
            assert not name.startswith(("connect-", "content-", "accept-encoding", "transfer-", "trailer", "te", "host",
                                        "x-grpc-web", "grpc-status")), metadata

    def _check_server(self):
        """The server saw its call end as the client did."""
        if self.cell.outcome == "cancel":
            assert self.journal.wait(self.key, "cancelled", PATIENCE), "the upstream was not cancelled"
        if self.cell.outcome == "deadline" and "started" in self.journal.events.get(self.key, []):
            assert self.journal.wait(self.key, "cancelled", PATIENCE), "the upstream was not cancelled"
            remaining = next(event[1] for event in self.journal.events[self.key] if event[0] == "time")
            assert remaining is not None and remaining <= TIMEOUT_MS / 1000 * 1.02, remaining

    def expected(self):
        """The outcome, as far as the rules fix it."""
        outcome, answers = self.cell.outcome, []
        leading = group(LEADING)
        if self.cell.kind == "client-stream":
            answers = [Item(key=self.key, text=TEXT, data=BYTES, number=NUMBER, seen=[order.index for order in self.orders])]
        elif self.cell.kind == "unary":
            answers = [Item(key=self.key, text=TEXT, data=BYTES, number=NUMBER)]
        elif self.cell.kind in ("server-stream", "bidi"):
            answers = [Item(key=self.key, index=index, text=TEXT, data=BYTES, number=NUMBER) for index in range(3)]
        count = {"ok": len(answers), "exact": len(answers), "error": 0}.get(outcome)
        if count is None:
            count = (2 if outcome == "mid-error" else 1) if self.cell.answers_stream else 0
        if outcome in ("ok", "exact"):
            return Outcome(items=answers[:count], leading=leading, trailing=group(TRAILING))
        if outcome in ERRORS:
            details = [(detail.type_url.rpartition("/")[2], detail.value) for detail in error_details()]
            return Outcome(code=ERRORS[outcome][0], message=ERROR_MESSAGE, details=details, items=answers[:count],
                           leading=leading if outcome == "mid-error" else None, trailing=group(TRAILING))
        code = {"deadline": "deadline_exceeded", "cancel": "canceled"}.get(outcome, "resource_exhausted")
        return Outcome(code=code, items=answers[:count])


def group(pairs):
    """name → values."""
    found = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
