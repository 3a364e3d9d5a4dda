import ProtoRuntime

extension Span<UInt8> {
    var array: [UInt8] { indices.map { self[$0] } }
    var text: String { String(decoding: array, as: UTF8.self) }
}
