"""EchoService with gRPC's own health service beside it, which notes the calls it has served."""
import threading

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from .echo_server import EchoServer

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class CountedWatch(health.HealthServicer):
    """Notes the services that are watched, in the order in which the watches began, and how many are open."""

    def __init__(self):
        super().__init__(experimental_non_blocking=False, experimental_thread_pool=None)
        self.watched, self.open, self.lock = [], 0, threading.Lock()

    def Watch(self, request, context):
        with self.lock:
            self.watched.append(request.service)
            self.open += 1
        context.add_callback(self._closed)
        return super().Watch(request, context)

    def _closed(self):
        with self.lock:
            self.open -= 1


class HealthServer(EchoServer):
    def __init__(self, port=0, status=SERVING, service="", credentials=None):
        self.health, self.calls = CountedWatch(), []
        self.service = service
        self.set(status)
        super().__init__(port, credentials, extend=self._extend)

    def _extend(self, server):
        health_pb2_grpc.add_HealthServicer_to_server(self.health, server)

    def set(self, status):
        self.health.set(self.service, status)

    def Echo(self, request, context):
        self.calls.append(request.text)
        return super().Echo(request, context)

    EchoNested = Echo

    def __exit__(self, *exception):
        self.stop()
