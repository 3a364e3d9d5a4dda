import CNghttp2

/// Packs header blocks and frames as a peer on nghttp2 does.
@safe
final class HeaderPacker {
    struct Failure: Error { let code: Int }

    static let preface =
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(type: 4, flags: 0, of: 0, [])

    private var deflater: OpaquePointer?

    init() throws {
        let code = unsafe nghttp2_hd_deflate_new(&deflater, 4096)
        guard code == 0 else { throw Failure(code: Int(code)) }
    }

    deinit { unsafe nghttp2_hd_deflate_del(deflater) }

    /// The next block begins with an update of the table's size.
    func changeTable(to bytes: Int) {
        _ = unsafe nghttp2_hd_deflate_change_table_size(deflater, bytes)
    }

    /// - Parameter neverIndexed: names of fields that no table may have.
    func block(_ list: [(String, String)], neverIndexed: Set<String> = []) throws -> [UInt8] {
        var text: [UInt8] = []
        for (name, value) in list { text += Array(name.utf8) + Array(value.utf8) }
        var block = [UInt8](repeating: 0, count: 4096)
        let count = unsafe text.withUnsafeMutableBufferPointer { text in
            var fields = unsafe [nghttp2_nv]()
            var start = 0
            for (name, value) in list {
                let (nameCount, valueCount) = (name.utf8.count, value.utf8.count)
                let base = unsafe text.baseAddress.map { unsafe $0 + start }
                let flags = neverIndexed.contains(name) ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : 0
                unsafe fields.append(
                    nghttp2_nv(
                        name: base, value: base.map { unsafe $0 + nameCount }, namelen: nameCount,
                        valuelen: valueCount, flags: UInt8(flags)))
                start += nameCount + valueCount
            }
            return unsafe nghttp2_hd_deflate_hd(
                deflater, &block, block.count, fields, fields.count)
        }
        guard count >= 0 else { throw Failure(code: count) }
        return Array(block[..<count])
    }

    static func frame(
        type: UInt8, flags: UInt8, of stream: Int32, _ payload: [UInt8]
    ) -> [UInt8] {
        let id = UInt32(bitPattern: stream)
        return [
            0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags,
            UInt8(id >> 24), UInt8(id >> 16 & 255), UInt8(id >> 8 & 255), UInt8(id & 255),
        ] + payload
    }
}
