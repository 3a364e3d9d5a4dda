"""EchoService of Protos/test/interop.proto on grpcio, in threads of the test process, so that tests see its side."""
import base64
import threading
import time
from concurrent import futures

import grpc
from google.rpc import status_pb2

from .schema import (ECHO, DelayResponse, Everything, HeadersResponse, StreamItem, StreamSummary, interop)

CODES = {code.value[0]: code for code in grpc.StatusCode}


class Journal:
    """What the server saw of calls that carry a key: "started", "sent N" counts, then how they ended."""

    def __init__(self):
        self.condition = threading.Condition()
        self.events = {}
        self.sent = {}

    def note(self, key, event):
        with self.condition:
            self.events.setdefault(key, []).append(event)
            self.condition.notify_all()

    def count(self, key):
        with self.condition:
            self.sent[key] = self.sent.get(key, 0) + 1
            self.condition.notify_all()

    def wait(self, key, event, seconds):
        """Whether the server noted `event` for the call `key` within so many seconds."""
        with self.condition:
            return self.condition.wait_for(lambda: event in self.events.get(key, []), seconds)

    def wait_stalled(self, key, quiet, seconds):
        """Messages sent once none was sent for `quiet` seconds; gives up after `seconds`."""
        deadline = time.monotonic() + seconds
        with self.condition:
            while time.monotonic() < deadline:
                before = self.sent.get(key, 0)
                if not self.condition.wait_for(lambda: self.sent.get(key, 0) != before, quiet) and before:
                    return before
            raise AssertionError(f"still sending after {seconds} s: {self.sent.get(key)} messages")


class Watch:
    """Notes how one call ended: "answered" if the server got to its end, else "cancelled"."""

    def __init__(self, journal, key, context):
        self.journal, self.key = journal, key
        self.answered, self.ended = False, threading.Event()
        context.add_callback(self._end)
        journal.note(key, "started")

    def _end(self):
        self.ended.set()
        self.journal.note(self.key, "answered" if self.answered else "cancelled")


class EchoServer:
    """Serves on a free port of the loopback. `target` is host:port. `extend(server)` adds services before it starts."""

    def __init__(self, port=0, credentials=None, extend=None, host="127.0.0.1"):
        self.journal = Journal()
        self.server = grpc.server(
            futures.ThreadPoolExecutor(64),
            options=[("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20),
                     ("grpc.so_reuseport", 0)])
        self.server.add_generic_rpc_handlers((self._handlers(),))
        if extend is not None:
            extend(self.server)
        address = f"{host}:{port}"
        self.port = (self.server.add_insecure_port(address) if credentials is None
                     else self.server.add_secure_port(address, credentials))
        self.target = f"{host}:{self.port}"
        self.server.start()

    def stop(self):
        self.server.stop(None).wait()

    def _handlers(self):
        shapes = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        methods = {}
        for method in interop.service(ECHO).methods:
            serve = getattr(self, method.name, None)
            if serve is None:
                continue  # Missing
            request = interop.message(method.input_type.full_name)
            shape = shapes[method.client_streaming, method.server_streaming]
            methods[method.name] = shape(serve, request_deserializer=request.FromString,
                                         response_serializer=lambda message: message.SerializeToString())
        return grpc.method_handlers_generic_handler(ECHO, methods)

    # The methods, named as in the .proto file.

    def Echo(self, request, context):
        return request

    EchoNested = Echo

    def Nothing(self, request, context):
        return request

    def Fail(self, request, context):
        abort(request, context)
        return Everything()

    def FailStream(self, request, context):
        for index in range(request.messages_before):
            yield StreamItem(index=index)
        abort(request, context)

    def Delay(self, request, context):
        watch = Watch(self.journal, request.key, context)
        seconds = request.time.ToTimedelta().total_seconds()
        remaining = context.time_remaining()
        if watch.ended.wait(seconds):
            return DelayResponse()
        response = DelayResponse()
        # grpcio gives an absurdly long time to a call without a deadline.
        if remaining is not None and remaining < 1e8:
            response.deadline.FromMicroseconds(int(remaining * 1e6))
        watch.answered = True
        return response

    def ServerStream(self, request, context):
        watch = Watch(self.journal, request.key, context)
        pause = request.interval.ToTimedelta().total_seconds()
        first = request.after + 1 if request.HasField("after") else 0
        for index in range(first, request.count):
            if watch.ended.wait(pause if index > first else 0):
                return
            yield StreamItem(index=index, payload=b"x" * request.size, key=request.key)
            self.journal.count(request.key)
        watch.answered = True

    def ClientStream(self, requests, context):
        summary = StreamSummary()
        for item in requests:
            self.journal.note(item.key, "started")
            summary.messages += 1
            summary.bytes += len(item.payload)
        return summary

    def Bidi(self, requests, context):
        watch = None
        for item in requests:
            watch = watch or Watch(self.journal, item.key, context)
            yield item
        if watch:
            watch.answered = True

    def Headers(self, request, context):
        context.send_initial_metadata([*request.leading.items(), *request.leading_binary.items()])
        context.set_trailing_metadata([*request.trailing.items(), *request.trailing_binary.items()])
        if request.code:
            context.abort(CODES[request.code], "as asked")
        response = HeadersResponse(peer=context.peer())
        for name, value in context.invocation_metadata():
            text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
            before = response.metadata.get(name)
            response.metadata[name] = text if before is None else f"{before}, {text}"
        return response


def abort(request, context):
    """Ends the call as a FailRequest says. Code 0 returns."""
    status = status_pb2.Status(code=request.code, message=request.message)
    for name in ("bad_request", "retry_info", "error_info"):
        if request.HasField(name):
            detail = getattr(request, name)
            status.details.add(type_url="type.googleapis.com/" + detail.DESCRIPTOR.full_name,
                               value=detail.SerializeToString())
    for detail in request.details:
        status.details.add(type_url=detail.type_url, value=detail.value)
    if request.unknown_detail:
        status.details.add(type_url="type.googleapis.com/nobody.v1.Knows", value=b"\x0a\x01x")
    trailing = list(request.trailing.items())
    if status.details:
        trailing.append(("grpc-status-details-bin", status.SerializeToString()))
    context.set_trailing_metadata(trailing)
    if request.code:
        context.abort(CODES[request.code], request.message)
