import ProtoRuntime

/// One of a status's details: google.protobuf.Any {type_url = 1, value = 2}.
struct StatusDetail: Equatable {
    /// What the gateway's own details have before their type's name.
    static let urlPrefix = "type.googleapis.com/"

    var typeURL = ""
    var value: [UInt8] = []

    /// Behind the last slash.
    var typeName: String {
        guard let slash = typeURL.lastIndex(of: "/") else { return typeURL }
        return String(typeURL[typeURL.index(after: slash)...])
    }

    init(decoding bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(bytes)
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1: typeURL = String(copying: try reader.readBytes(tag))
            case 2:
                let bytes = try reader.readBytes(tag)
                value = bytes.indices.map { bytes[$0] }
            default: try reader.skip(tag)
            }
        }
    }
}

extension Status {
    /// The details that can be read; what comes after a broken one is lost. Allocates.
    var decodedDetails: [StatusDetail] {
        var decoded: [StatusDetail] = []
        var reader = WireReader(details.span)
        while let tag = try? reader.readTag(), tag.number == 3,
            let detail = try? StatusDetail(decoding: try reader.readBytes(tag))
        {
            decoded.append(detail)
        }
        return decoded
    }

    /// Adds the message that `write` encodes, of the type with that full name. Allocates.
    mutating func addDetail(_ typeName: String, _ write: (inout OutputBlock) -> Void) {
        var block = OutputBlock()
        block.appendField(3) { any in
            any.appendField(1, string: StatusDetail.urlPrefix + typeName)
            any.appendField(2, message: write)
        }
        let bytes = block.bytes
        details.reserveCapacity(details.count + bytes.count)
        for index in bytes.indices { details.append(bytes[index]) }
    }
}
