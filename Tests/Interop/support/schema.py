"""Message classes and methods from the committed descriptor sets: no generated code."""
import os

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
INTEROP_SET = os.path.join(ROOT, "Protos", "test", "interop.binpb")
DEMO_SET = os.path.join(ROOT, "Protos", "demo.binpb")
ECHO = "gatewaytest.interop.v1.EchoService"


class Schema:
    """One descriptor set and the classes of its messages."""

    def __init__(self, path):
        self.path = path
        self._fields = {}
        self.pool = descriptor_pool.DescriptorPool()
        self.files = descriptor_pb2.FileDescriptorSet()
        with open(path, "rb") as file:
            self.files.ParseFromString(file.read())
        for file in self.files.file:
            self.pool.Add(file)

    def message(self, name):
        """The class of the message `pkg.Name`."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))

    def service(self, name):
        return self.pool.FindServiceByName(name)

    def to_dict(self, message, **options):
        return json_format.MessageToDict(message, descriptor_pool=self.pool, **options)

    def to_json(self, message, **options):
        return json_format.MessageToJson(message, descriptor_pool=self.pool, **options)

    def parse(self, text, message):
        """Fills `message` from JSON; raises json_format.ParseError."""
        return json_format.Parse(text, message, descriptor_pool=self.pool)

    def extensions(self, descriptor):
        """The extensions of the message that have a JSON form."""
        if descriptor.GetOptions().message_set_wire_format or not descriptor.is_extendable:
            return []
        return sorted(self.pool.FindAllExtensions(descriptor), key=lambda field: field.number)

    def fields_by_number(self, descriptor):
        """Fields and extensions of the message."""
        if descriptor not in self._fields:
            extensions = {field.number: field for field in self.extensions(descriptor)}
            self._fields[descriptor] = {**descriptor.fields_by_number, **extensions}
        return self._fields[descriptor]

    def messages(self, package):
        """Full names of the messages of a package, nested ones too, without map entries."""
        found = []

        def visit(prefix, messages):
            for message in messages:
                if not message.options.map_entry:
                    found.append(f"{prefix}.{message.name}")
                    visit(f"{prefix}.{message.name}", message.nested_type)

        for file in self.files.file:
            if file.package == package:
                visit(file.package, file.message_type)
        return found


interop = Schema(INTEROP_SET)
Everything = interop.message("gatewaytest.interop.v1.Everything")
Nested = interop.message("gatewaytest.interop.v1.Nested")
FailRequest = interop.message("gatewaytest.interop.v1.FailRequest")
DelayRequest = interop.message("gatewaytest.interop.v1.DelayRequest")
DelayResponse = interop.message("gatewaytest.interop.v1.DelayResponse")
StreamRequest = interop.message("gatewaytest.interop.v1.StreamRequest")
StreamItem = interop.message("gatewaytest.interop.v1.StreamItem")
StreamSummary = interop.message("gatewaytest.interop.v1.StreamSummary")
HeadersRequest = interop.message("gatewaytest.interop.v1.HeadersRequest")
HeadersResponse = interop.message("gatewaytest.interop.v1.HeadersResponse")
