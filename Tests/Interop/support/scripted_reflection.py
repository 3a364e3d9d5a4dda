"""A reflection service on a scripted upstream, which answers as a test says: late, twice, wrongly, never."""
import struct

from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2

from .http2 import envelope
from .scripted_upstream import ScriptedUpstream

V1, V1ALPHA = (f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha"))
Answer = reflection_pb2.ServerReflectionResponse


def file(name, *imports, service=None, message="M"):
    """A FileDescriptorProto whose package is named like the file."""
    package = name.removesuffix(".proto").replace("/", ".")
    made = descriptor_pb2.FileDescriptorProto(name=name, package=package, dependency=imports, syntax="proto3")
    made.message_type.add(name=message)
    if service:
        method = made.service.add(name=service).method.add(name="Call")
        method.input_type = method.output_type = f".{package}.{message}"
    return made


def files(*found):
    return Answer(file_descriptor_response={"file_descriptor_proto": [each.SerializeToString() for each in found]})


def services(*names):
    return Answer(list_services_response={"service": [{"name": name} for name in names]})


def failure(code, message=""):
    return Answer(error_response={"error_code": code, "error_message": message})


class ScriptedReflection(ScriptedUpstream):
    """Serves what `known` describes. `react(call, question, answers)` may replace the answers to one question, itself
    a text such as "list" or the name asked for; `paths` are served, others are UNIMPLEMENTED."""

    def __init__(self, *known, react=None, paths=(V1, V1ALPHA), echo=True, tls=None, port=0):
        self.known = {each.name: each for each in known}
        self.symbols = {f"{each.package}.{service.name}": each for each in known for service in each.service}
        self.react, self.paths, self.echo = react, paths, echo
        self.asked, self.opened, self.begun = [], [], {}
        super().__init__(script=self._end, piece=self._piece, tls=tls, port=port)

    def _piece(self, call):
        path = call.headers[":path"]
        if call not in self.begun:
            self.begun[call] = path in self.paths
            self.opened.append(path)
            call.head() if self.begun[call] else call.head({"grpc-status": "12", "grpc-message": "nothing here"}, end=True)
        while self.begun[call] and len(call.body) >= 5:
            length, = struct.unpack(">I", call.body[1:5])
            if len(call.body) < 5 + length:
                return
            request = reflection_pb2.ServerReflectionRequest.FromString(call.body[5:5 + length])
            call.body = call.body[5 + length:]
            self._answer(call, request)

    def _answer(self, call, request):
        kind = request.WhichOneof("message_request")
        question = "list" if kind == "list_services" else getattr(request, kind)
        self.asked.append(question)
        if kind == "list_services":
            answers = [services(*self.symbols)]
        else:
            found = (self.known if kind == "file_by_filename" else self.symbols).get(question)
            answers = [files(found) if found else failure(5, f"no {question}")]
        if self.react is not None:
            answers = self.react(call, question, answers)
        for answer in answers:
            self.send(call, answer, request)

    def send(self, call, answer, request=None):
        if self.echo and request is not None:
            answer.original_request.CopyFrom(request)
        call.data(envelope(answer.SerializeToString()))

    def _end(self, call):
        if self.begun.get(call):
            call.trailers({"grpc-status": "0"})
