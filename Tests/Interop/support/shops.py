"""Two shops on grpcio whose files and types have the same names and say different things."""
from concurrent import futures

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.rpc import status_pb2
from grpc_reflection.v1alpha import reflection

OPTIONAL, REPEATED = 1, 3
INT64, INT32, STRING, MESSAGE = 3, 5, 9, 11
ITEM_FILE, ANY_FILE = "shop/item.proto", "google/protobuf/any.proto"


def _message(file, name, *fields):
    """Fields are (name, type or type name), numbered from 1; a name in brackets is repeated."""
    made = file.message_type.add(name=name)
    for number, (field, kind) in enumerate(fields, 1):
        label = REPEATED if field.startswith("[") else OPTIONAL
        added = made.field.add(name=field.strip("[]"), number=number, label=label)
        if isinstance(kind, str):
            added.type, added.type_name = MESSAGE, kind
        else:
            added.type = kind


class Shop:
    """`service` with Echo(Item), Wrap(Box) and Fail(Item); the types of `fields`: of Item, Problem."""

    def __init__(self, service, item, problem, has_reflection=False):
        self.service = service
        items = descriptor_pb2.FileDescriptorProto(name=ITEM_FILE, package="shop", syntax="proto3")
        _message(items, "Item", *item)
        _message(items, "Problem", *problem)
        calls = descriptor_pb2.FileDescriptorProto(
            name=f"shop/{service.lower()}.proto", package="shop", syntax="proto3", dependency=[ITEM_FILE, ANY_FILE])
        _message(calls, f"{service}Box", ("content", ".google.protobuf.Any"), ("item", ".shop.Item"))
        methods = calls.service.add(name=service).method
        for name, kind in (("Echo", ".shop.Item"), ("Wrap", f".shop.{service}Box"), ("Fail", ".shop.Item")):
            methods.add(name=name, input_type=kind, output_type=kind)
        any_file = descriptor_pb2.FileDescriptorProto()
        any_pb2.DESCRIPTOR.CopyToProto(any_file)
        self.files = descriptor_pb2.FileDescriptorSet(file=[any_file, items, calls])
        self.pool = descriptor_pool.DescriptorPool()
        for file in self.files.file:
            self.pool.Add(file)
        self.item, self.problem, self.box = (self._class(f"shop.{name}") for name in ("Item", "Problem", f"{service}Box"))
        self.received = []
        self._serve(has_reflection)

    def _class(self, name):
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))

    def _serve(self, has_reflection):
        self.server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        kinds = {"Echo": (self._echo, self.item), "Wrap": (self._echo, self.box), "Fail": (self._fail, self.item)}
        handlers = {name: grpc.unary_unary_rpc_method_handler(
            act, request_deserializer=kind.FromString, response_serializer=lambda message: message.SerializeToString())
            for name, (act, kind) in kinds.items()}
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(f"shop.{self.service}", handlers)])
        if has_reflection:
            reflection.enable_server_reflection([f"shop.{self.service}", reflection.SERVICE_NAME], self.server, pool=self.pool)
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def _echo(self, request, context):
        self.received.append(request)
        return request

    def _fail(self, request, context):
        """NOT_FOUND with a shop.Problem, whose first field is that of the request."""
        detail = any_pb2.Any(type_url="type.googleapis.com/shop.Problem")
        detail.value = self.problem(**{self.problem.DESCRIPTOR.fields[0].name: 7}).SerializeToString()
        status = status_pb2.Status(code=5, message="no such item", details=[detail])
        context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
        context.abort(grpc.StatusCode.NOT_FOUND, "no such item")

    def stop(self):
        self.server.stop(0).wait()
