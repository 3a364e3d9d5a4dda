import ProtoRuntime
import Transcode

/// UploadService.Send: takes the pieces of a file and says what came. Nothing is kept.
final class DemoUpload: LocalHandler {
    private unowned let call: LocalCall
    private let started: Int64
    private var summary = Demo.Summary()
    private var checksum = CRC32()

    init(_ call: LocalCall) {
        self.call = call
        started = call.loop.now
    }

    func receive(_ message: Span<UInt8>) throws(Status) {
        do throws(WireError) {
            try read(message)
        } catch {
            throw Status(.internal, "the request is no Chunk: \(error)")
        }
        summary.chunks += 1
    }

    func receiveEnd() throws(Status) {
        summary.crc32 = checksum.value
        summary.elapsed = Demo.Duration(nanoseconds: call.loop.now - started)
        call.send(summary)
        call.finish(.ok)
    }

    /// Reads a Chunk {file_name = 1, data = 2} in place: its bytes are counted and summed, not copied.
    private func read(_ message: Span<UInt8>) throws(WireError) {
        var reader = WireReader(message)
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1:
                let name = try reader.readString(tag)
                if summary.chunks == 0 { summary.fileName = name }
            case 2:
                let data = try reader.readBytes(tag)
                summary.bytes += Int64(data.count)
                checksum.update(data)
            default: try reader.skip(tag)
            }
        }
    }
}

/// CRC-32 as IEEE 802.3 has it (polynomial 0xEDB88320, reflected).
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        return value
    }

    private var state = UInt32.max

    var value: UInt32 { ~state }

    mutating func update(_ bytes: Span<UInt8>) {
        let table = CRC32.table
        var state = state
        for index in bytes.indices {
            state = state >> 8 ^ table[Int((state ^ UInt32(bytes[index])) & 255)]
        }
        self.state = state
    }
}
