"""MatrixService on grpcio, in threads of the test process."""
import base64
import random
from concurrent import futures

import grpc

from ..echo_server import CODES, Journal, Watch
from .schema import ERROR_MESSAGE, LEADING, SERVICE, TRAILING, Item, Order, error_status, matrix


class MatrixServer:
    """Serves on a free port of the loopback; `journal` knows how each call began and ended."""

    def __init__(self, threads=64):
        self.journal = Journal()
        self.server = grpc.server(
            futures.ThreadPoolExecutor(threads),
            options=[("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20),
                     ("grpc.so_reuseport", 0)])
        shapes = {
            "Unary": (grpc.unary_unary_rpc_method_handler, self.unary),
            "Get": (grpc.unary_unary_rpc_method_handler, self.unary),
            "ClientStream": (grpc.stream_unary_rpc_method_handler, self.client_stream),
            "ServerStream": (grpc.unary_stream_rpc_method_handler, self.server_stream),
            "Bidi": (grpc.stream_stream_rpc_method_handler, self.bidi),
        }
        methods = {name: shape(serve, request_deserializer=Order.FromString, response_serializer=Item.SerializeToString)
                   for name, (shape, serve) in shapes.items()}
        assert set(methods) == {method.name for method in matrix.service(SERVICE).methods}
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.target = f"127.0.0.1:{self.port}"
        self.server.start()

    def stop(self):
        self.server.stop(None).wait()

    def unary(self, order, context):
        return self._answer_once(Served(self.journal, order, context))

    def client_stream(self, orders, context):
        first = next(orders)
        call = Served(self.journal, first, context)
        call.seen.append(first.index)
        while len(call.seen) != call.plan.reads:
            order = next(orders, None)
            if order is None:
                break
            call.seen.append(order.index)
        return self._answer_once(call)

    def _answer_once(self, call):
        if call.plan.hold:
            call.watch.ended.wait(60)
            return Item()
        item = call.item(call.order)
        item.seen.extend(call.seen)
        return call.sized(call.end() or item)

    def server_stream(self, order, context):
        call = Served(self.journal, order, context)
        for index in range(call.plan.answers):
            if call.watch.ended.is_set():
                return
            item = call.item(order)
            item.index = index
            yield call.sized(item)
        call.hold_or_end()

    def bidi(self, orders, context):
        call = None
        for order in orders:
            call = call or Served(self.journal, order, context)
            call.fail_at_once()
            yield call.sized(call.item(order))
            call.sent += 1
            if call.sent == call.plan.answers:
                break
        if call:
            call.hold_or_end()


class Served:
    """One call at the server."""

    def __init__(self, journal, order, context):
        self.order, self.plan, self.context, self.journal = order, order.plan, context, journal
        self.sent, self.seen = 0, []
        self.metadata = {}
        for name, value in context.invocation_metadata():
            text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
            self.metadata[name] = f"{self.metadata[name]}, {text}" if name in self.metadata else text
        remaining = context.time_remaining()
        # grpcio gives an absurdly long time to a call without a deadline.
        self.journal.note(order.key, ("time", remaining if remaining is not None and remaining < 1e8 else None))
        self.watch = Watch(journal, order.key, context)
        if self.plan.gzip:
            context.set_compression(grpc.Compression.Gzip)
        if self.plan.head_first:
            context.send_initial_metadata(LEADING)

    def item(self, order):
        """What answers this message; the first answer carries the call's metadata."""
        item = Item(key=order.key, index=order.index, text=order.text, data=order.data, number=order.number)
        if self.sent == 0:
            item.metadata.update(self.metadata)
        return item

    def sized(self, item):
        """The answer at the size that was ordered: filled up to it exactly."""
        size = self.plan.answer_bytes
        if size:
            item.metadata.clear()
            item.ClearField("filling")
            room = size - item.ByteSize()
            # The field's tag, its length and so many bytes.
            fill = random.randbytes if self.plan.random else bytes
            for prefix in (2, 3, 4, 5):
                item.filling = fill(max(0, room - prefix))
                if item.ByteSize() == size:
                    break
            assert item.ByteSize() == size
        return item

    def fail_at_once(self):
        """An error that no answer comes before."""
        if self.plan.code and not self.plan.head_first:
            self.end()

    def hold_or_end(self):
        if self.plan.hold:
            self.watch.ended.wait(60)
            return
        self.end()

    def end(self):
        """Ends a call as planned: raises unless it is a success."""
        self.watch.answered = True
        self.context.set_trailing_metadata(TRAILING if not self.plan.code else [
            *TRAILING, ("grpc-status-details-bin", error_status(self.plan.code).SerializeToString())])
        if self.plan.code:
            self.context.abort(CODES[self.plan.code], ERROR_MESSAGE)
