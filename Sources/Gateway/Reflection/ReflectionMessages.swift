import ProtoRuntime

/// The messages of grpc.reflection.v1. Those of v1alpha have other names and the same wire form.
enum Reflection {
    enum Version: String, CaseIterable {
        case v1, v1alpha

        var service: String { "grpc.reflection.\(rawValue).ServerReflection" }
        var path: String { "/\(service)/ServerReflectionInfo" }
    }

    /// What a client asks.
    enum Question: Hashable {
        case fileByName(String)
        case fileContainingSymbol(String)
        case fileContainingExtension(type: String, number: Int32)
        case extensionNumbers(type: String)
        /// The text means nothing.
        case listServices(String)
    }

    /// ServerReflectionRequest.
    struct Request: WireMessage {
        var host = ""
        var question: Question?

        init() {}
        init(_ question: Question) { self.question = question }

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: host = try reader.readString(tag)
                case 3: question = .fileByName(try reader.readString(tag))
                case 4: question = .fileContainingSymbol(try reader.readString(tag))
                case 5:
                    let asked = try reader.decode(tag, as: ExtensionRequest.self)
                    question = .fileContainingExtension(type: asked.type, number: asked.number)
                case 6: question = .extensionNumbers(type: try reader.readString(tag))
                case 7: question = .listServices(try reader.readString(tag))
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, host)
            switch question {
            case .fileByName(let name): output.appendField(3, string: name)
            case .fileContainingSymbol(let name): output.appendField(4, string: name)
            case .fileContainingExtension(let type, let number):
                output.appendSet(5, ExtensionRequest(type: type, number: number))
            case .extensionNumbers(let type): output.appendField(6, string: type)
            case .listServices(let text): output.appendField(7, string: text)
            case nil: break
            }
        }
    }

    struct ExtensionRequest: WireMessage {
        var type = ""
        var number: Int32 = 0

        init() {}
        init(type: String, number: Int32) {
            self.type = type
            self.number = number
        }

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: type = try reader.readString(tag)
                case 2: number = try reader.readInt32(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, type)
            output.appendSet(2, number)
        }
    }

    /// What a server answers.
    enum Content: Equatable {
        /// Serialized FileDescriptorProtos.
        case files([[UInt8]])
        case extensionNumbers(type: String, [Int32])
        case services([String])
        /// A gRPC status.
        case failure(code: Int32, message: String)
    }

    /// ServerReflectionResponse.
    struct Answer: WireMessage {
        var validHost = ""
        var original: Request?
        var content: Content?

        init() {}
        init(_ content: Content, to original: Request? = nil) {
            validHost = original?.host ?? ""
            self.original = original
            self.content = content
        }

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: validHost = try reader.readString(tag)
                case 2: try reader.merge(tag, into: &original)
                case 4: content = .files(try reader.decode(tag, as: Files.self).files)
                case 5:
                    let found = try reader.decode(tag, as: ExtensionNumbers.self)
                    content = .extensionNumbers(type: found.type, found.numbers)
                case 6: content = .services(try reader.decode(tag, as: Services.self).names)
                case 7:
                    let failure = try reader.decode(tag, as: Failure.self)
                    content = .failure(code: failure.code, message: failure.message)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, validHost)
            output.appendSet(2, original)
            switch content {
            case .files(let files): output.appendSet(4, Files(files: files))
            case .extensionNumbers(let type, let numbers):
                output.appendSet(5, ExtensionNumbers(type: type, numbers: numbers))
            case .services(let names): output.appendSet(6, Services(names: names))
            case .failure(let code, let message):
                output.appendSet(7, Failure(code: code, message: message))
            case nil: break
            }
        }
    }
}
