import ProtoRuntime

// The messages inside a ServerReflectionResponse.
extension Reflection {
    /// FileDescriptorResponse.
    struct Files: WireMessage {
        var files: [[UInt8]] = []

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: files.append(try reader.readByteArray(tag))
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            for file in files { output.appendField(1, bytes: file.span) }
        }
    }

    /// ExtensionNumberResponse.
    struct ExtensionNumbers: WireMessage {
        var type = ""
        var numbers: [Int32] = []

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: type = try reader.readString(tag)
                case 2:
                    var packed = try reader.readPacked(tag, of: .varint)
                    while !packed.isAtEnd {
                        numbers.append(Int32(truncatingIfNeeded: try packed.readVarint()))
                    }
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, type)
            guard !numbers.isEmpty else { return }
            output.appendField(2) { (output: inout OutputBlock) in
                for number in numbers { output.appendVarint(UInt64(bitPattern: Int64(number))) }
            }
        }
    }

    /// ListServiceResponse.
    struct Services: WireMessage {
        var names: [String] = []

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: names.append(try reader.decode(tag, as: Service.self).name)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            for name in names { output.appendSet(1, Service(name: name)) }
        }
    }

    /// ServiceResponse.
    struct Service: WireMessage {
        var name = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: name = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) { output.appendSet(1, name) }
    }

    /// ErrorResponse.
    struct Failure: WireMessage {
        var code: Int32 = 0
        var message = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: code = try reader.readInt32(tag)
                case 2: message = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, code)
            output.appendSet(2, message)
        }
    }
}
