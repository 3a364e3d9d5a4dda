"""Prints what Python's protobuf runtime makes of every type in a descriptor set, one sorted line each.

It is the oracle of the linker: the Swift tests print the same lines from the linked tables.
"""
import sys

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FieldDescriptor


def words(pairs):
    return "[" + " ".join(name for name, holds in pairs if holds) + "]"


def is_synthetic(oneof):
    message = descriptor_pb2.DescriptorProto()
    oneof.containing_type.CopyToProto(message)
    return any(field.proto3_optional for field in message.field if field.name == oneof.fields[0].name)


def verifies_utf8(field):
    return (field.type == FieldDescriptor.TYPE_STRING
            and field._GetFeatures().utf8_validation == descriptor_pb2.FeatureSet.VERIFY)


def describe(field):
    """All but the name; protobuf lists synthetic oneofs last, so the index of a real one counts real ones only."""
    oneof = field.containing_oneof
    if oneof is not None and is_synthetic(oneof):
        oneof = None
    target = field.message_type or field.enum_type
    json = f"[{field.full_name}]" if field.is_extension else field.json_name
    flags = words([
        ("repeated", field.is_repeated),
        ("map", field.message_type is not None and field.message_type.GetOptions().map_entry),
        ("packed", field.is_packed),
        ("presence", field.has_presence),
        ("required", field.is_required),
        ("utf8", verifies_utf8(field)),
        ("delimited", field.type == FieldDescriptor.TYPE_GROUP),
        ("extension", field.is_extension),
    ])
    return (f"number={field.number} json={json} type={field.type} target={target.full_name if target else '-'} "
            f"oneof={oneof.index if oneof else -1} flags={flags}")


def message_lines(message):
    options = message.GetOptions()
    flags = words([
        ("map_entry", options.map_entry),
        ("message_set", options.message_set_wire_format),
        ("required", any(field.is_required for field in message.fields)),
    ])
    oneofs = sum(not is_synthetic(oneof) for oneof in message.oneofs)
    yield f"message {message.full_name} fields={len(message.fields)} oneofs={oneofs} flags={flags}"
    for field in message.fields:
        yield f"field {field.full_name} {describe(field)}"
    for nested in message.nested_types:
        yield from message_lines(nested)
    for enum in message.enum_types:
        yield from enum_lines(enum)
    for extension in message.extensions:
        yield extension_line(extension)


def enum_lines(enum):
    yield f"enum {enum.full_name} {'closed' if enum.is_closed else 'open'}"
    for value in enum.values:
        yield f"value {enum.full_name} {value.index} {value.name}={value.number}"


def extension_line(extension):
    return f"extension {extension.full_name} of {extension.containing_type.full_name} {describe(extension)}"


def method_line(method):
    streams = words([("client", method.client_streaming), ("server", method.server_streaming)])
    return (f"method {method.full_name} {method.input_type.full_name} -> {method.output_type.full_name} "
            f"streams={streams}")


def file_lines(file):
    yield f"file {file.name} package={file.package or '-'}"
    for message in file.message_types_by_name.values():
        yield from message_lines(message)
    for enum in file.enum_types_by_name.values():
        yield from enum_lines(enum)
    for extension in file.extensions_by_name.values():
        yield extension_line(extension)
    for service in file.services_by_name.values():
        yield from (method_line(method) for method in service.methods)


def main(path):
    with open(path, "rb") as source:
        files = descriptor_pb2.FileDescriptorSet.FromString(source.read()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    lines = [line for file in files for line in file_lines(pool.FindFileByName(file.name))]
    print("\n".join(sorted(lines)))


main(sys.argv[1])
