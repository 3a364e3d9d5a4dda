"""BodyService of Protos/test/bodies.proto on grpcio."""
import os
from concurrent import futures

import grpc

from .schema import ROOT, Schema

BODIES_SET = os.path.join(ROOT, "Protos", "test", "bodies.binpb")
BODY = "gatewaytest.bodies.v1.BodyService"
bodies = Schema(BODIES_SET)
CODES = {code.value[0]: code for code in grpc.StatusCode}
DownloadRequest = bodies.message("gatewaytest.bodies.v1.DownloadRequest")
HttpBody = bodies.message("google.api.HttpBody")
UploadRequest = bodies.message("gatewaytest.bodies.v1.UploadRequest")
UploadResponse = bodies.message("gatewaytest.bodies.v1.UploadResponse")


class BodyServer:
    """Serves on a free port of the loopback: `target` is host:port."""

    def __init__(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(BODY, {
            "Mirror": self._handler(lambda request, _: request, HttpBody),
            "Upload": self._handler(self.upload, UploadRequest),
            "Store": self._handler(self.store, UploadRequest, grpc.stream_unary_rpc_method_handler),
            "Download": self._handler(self.download, DownloadRequest, grpc.unary_stream_rpc_method_handler),
        }),))
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    @staticmethod
    def _handler(serve, request, shape=grpc.unary_unary_rpc_method_handler):
        return shape(
            serve, request_deserializer=request.FromString, response_serializer=lambda message: message.SerializeToString())

    @staticmethod
    def upload(request, _):
        return UploadResponse(name=request.name, overwrite=request.overwrite, content_type=request.content.content_type,
                              size=len(request.content.data), content=request.content)

    @staticmethod
    def store(requests, _):
        response = UploadResponse()
        data = b""
        for request in requests:
            response.pieces += 1
            response.name = response.name or request.name
            response.content_type = response.content_type or request.content.content_type
            data += request.content.data
        response.size = len(data)
        response.content.data = data[:100]
        return response

    @staticmethod
    def download(request, context):
        for number in range(request.pieces):
            yield HttpBody(content_type=request.content_type if number == 0 else "", data=bytes([97 + number % 26]) * request.size)
        if request.code:
            context.abort(CODES[request.code], "as asked")

    def stop(self):
        self.server.stop(None).wait()
