"""A server of grpcio's asyncio in a process of its own, for thousands of streams at a time.

As a program: python stream_process.py, prints its port once it serves. EchoService.ServerStream sends the request back as
a message, waits until `release` was called, and sends it once more; `count` is how many wait.
"""
import asyncio
import os
import subprocess
import sys

import grpc

HERE = os.path.dirname(os.path.abspath(__file__))


class StreamProcess:
    """The program, and what a test asks of it."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__)], stdout=subprocess.PIPE, text=True)
        self.target = f"127.0.0.1:{int(self.process.stdout.readline())}"
        self.channel = grpc.insecure_channel(self.target)

    def _ask(self, method):
        return int(self.channel.unary_unary(f"/control/{method}")(b"", timeout=30))

    def count(self):
        return self._ask("Count")

    def release(self):
        return self._ask("Release")

    def __exit__(self, *exception):
        self.channel.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


async def serve():
    waiting, released = set(), asyncio.Event()

    async def stream(request, context):
        yield request
        waiting.add(context)
        await released.wait()
        yield request

    async def count(request, context):
        return str(len(waiting)).encode()

    async def release(request, context):
        released.set()
        return str(len(waiting)).encode()

    # Unless told otherwise, grpcio cancels calls that come faster than it begins them.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.server.max_pending_requests", 1 << 20),
                                      ("grpc.server.max_pending_requests_hard_limit", 1 << 20)])
    server.add_generic_rpc_handlers([
        grpc.method_handlers_generic_handler("gatewaytest.interop.v1.EchoService", {
            "ServerStream": grpc.unary_stream_rpc_method_handler(stream)}),
        grpc.method_handlers_generic_handler("control", {
            "Count": grpc.unary_unary_rpc_method_handler(count), "Release": grpc.unary_unary_rpc_method_handler(release)})])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve())
