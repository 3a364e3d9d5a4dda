import ProtoRuntime

// Messages of the three streaming services; what each field means stands in their .proto files.

extension Demo {
    struct WatchRequest: WireMessage {
        var count: Int32 = 0
        var interval: Duration?
        var symbol = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: count = try reader.readInt32(tag)
                case 2: try reader.merge(tag, into: &interval)
                case 3: symbol = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, count)
            output.appendSet(2, interval)
            output.appendSet(3, symbol)
        }
    }

    struct Tick: WireMessage {
        var sequence: Int64 = 0
        var time: Timestamp?
        var symbol = ""
        var price: Double = 0

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: sequence = try reader.readInt64(tag)
                case 2: try reader.merge(tag, into: &time)
                case 3: symbol = try reader.readString(tag)
                case 4: price = try reader.readDouble(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, sequence)
            output.appendSet(2, time)
            output.appendSet(3, symbol)
            output.appendSet(4, price)
        }
    }

    struct Entrance: WireMessage {
        var room = ""
        var nickname = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: room = try reader.readString(tag)
                case 2: nickname = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, room)
            output.appendSet(2, nickname)
        }
    }

    struct ChatRequest: WireMessage {
        enum Action: Equatable {
            case enter(Entrance)
            case say(String)
        }

        var action: Action?

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1:
                    var entrance: Entrance?
                    if case .enter(let present) = action { entrance = present }
                    try reader.merge(tag, into: &entrance)
                    action = .enter(entrance ?? Entrance())
                case 2: action = .say(try reader.readString(tag))
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            switch action {
            case .enter(let entrance): output.appendSet(1, entrance)
            case .say(let text): output.appendField(2, string: text)
            case nil: break
            }
        }
    }

    struct ChatEvent: WireMessage {
        enum Kind: Int32 {
            case unspecified = 0
            case entered, said, left
        }

        var kind = Kind.unspecified
        var nickname = ""
        var text = ""
        var time: Timestamp?

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: kind = Kind(rawValue: try reader.readInt32(tag)) ?? .unspecified
                case 2: nickname = try reader.readString(tag)
                case 3: text = try reader.readString(tag)
                case 4: try reader.merge(tag, into: &time)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, kind.rawValue)
            output.appendSet(2, nickname)
            output.appendSet(3, text)
            output.appendSet(4, time)
        }
    }

    /// The answer of UploadService. Its chunks are read in place, see `DemoUpload`.
    struct Summary: WireMessage {
        var fileName = ""
        var chunks: Int64 = 0
        var bytes: Int64 = 0
        var crc32: UInt32 = 0
        var elapsed: Duration?

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: fileName = try reader.readString(tag)
                case 2: chunks = try reader.readInt64(tag)
                case 3: bytes = try reader.readInt64(tag)
                case 4: crc32 = try reader.readUInt32(tag)
                case 5: try reader.merge(tag, into: &elapsed)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, fileName)
            output.appendSet(2, chunks)
            output.appendSet(3, bytes)
            output.appendSet(4, Int64(crc32))
            output.appendSet(5, elapsed)
        }
    }
}
