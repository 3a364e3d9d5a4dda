"""Messages of Protos/test/matrix.proto, and what the server says in its errors and metadata."""
import os

from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from ..schema import ROOT, Schema

MATRIX_SET = os.path.join(ROOT, "Protos", "test", "matrix.binpb")
SERVICE = "gatewaytest.matrix.v1.MatrixService"
matrix = Schema(MATRIX_SET)
Order = matrix.message("gatewaytest.matrix.v1.Order")
Plan = matrix.message("gatewaytest.matrix.v1.Plan")
Item = matrix.message("gatewaytest.matrix.v1.Item")

# Every byte, so that both alphabets of base64 and all paddings of a list of values come up.
BYTES = bytes(range(256))
REQUEST_METADATA = [("x-one", "1"), ("x-many", "a"), ("x-many", "b, c"), ("x-data-bin", BYTES)]
LEADING = [("x-lead", "first ~!"), ("x-lead-bin", BYTES), ("x-lead-short-bin", b"\xff")]
TRAILING = [("x-trail", "last"), ("x-trail-bin", b"\0\xfe")]
ERROR_MESSAGE = "no such thing: 100% \"naïve\"\n日本"

ERROR_DEBUG = {"fieldViolations": [{"field": "order.text", "description": "must not be empty"}]}


def error_details():
    """The details of every error of the server, as google.protobuf.Any: a type that everybody knows, and one nobody does."""
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(**ERROR_DEBUG["fieldViolations"][0])
    known = any_pb2.Any()
    known.Pack(bad)
    unknown = any_pb2.Any(type_url="type.googleapis.com/nobody.v1.Knows", value=b"\x0a\x01x")
    return [known, unknown]


def error_status(code):
    return status_pb2.Status(code=code, message=ERROR_MESSAGE, details=error_details())
