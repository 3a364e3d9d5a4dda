public import ProtoRuntime

/// The five bytes before each message of gRPC, gRPC-Web and Connect streams: flags, then the length in
/// big-endian order. What the flag bits mean is the protocol's business.
public struct EnvelopePrefix: Equatable, Sendable {
    public static let byteCount = 5
    /// The message is compressed (every protocol).
    public static let compressed: UInt8 = 0x01
    /// EndStreamResponse (Connect).
    public static let endStream: UInt8 = 0x02
    /// Trailers (gRPC-Web).
    public static let trailers: UInt8 = 0x80

    public var flags: UInt8
    /// Bytes of payload behind the prefix.
    public var length: UInt32

    @inlinable
    public init(flags: UInt8, length: UInt32) {
        self.flags = flags
        self.length = length
    }

    /// The prefix at the start of `bytes`; nil when fewer than five bytes are there.
    @inlinable
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= EnvelopePrefix.byteCount else { return nil }
        flags = bytes[0]
        length =
            UInt32(bytes[1]) << 24 | UInt32(bytes[2]) << 16 | UInt32(bytes[3]) << 8
            | UInt32(bytes[4])
    }

    @inlinable
    public func append(to output: inout OutputBlock) {
        output.makeRoom(EnvelopePrefix.byteCount)
        output.put(
            UInt64(flags) | UInt64(length.byteSwapped) << 8, count: EnvelopePrefix.byteCount)
    }

    /// Writes the prefix over five bytes that were left free at `offset`, once the length is known.
    @inlinable
    public func overwrite(at offset: Int, in output: inout OutputBlock) {
        output.overwrite(at: offset, with: flags)
        for index in 0..<4 {
            let shift = UInt32(24 &- index &* 8)
            output.overwrite(
                at: offset + 1 + index, with: UInt8(truncatingIfNeeded: length >> shift))
        }
    }
}

/// What `EnvelopeReader` found next.
public enum EnvelopeEvent: Equatable, Sendable {
    /// Everything given was used up; give the next piece.
    case needMore
    /// A message begins.
    case begin(EnvelopePrefix)
    /// Bytes of its payload, as a range of the piece given.
    case payload(Range<Int>)
    /// The message is complete.
    case end
}

extension OutputBlock {
    /// Appends a prefix whose length `endEnvelope` fills in; returns where it stands.
    @inlinable
    public mutating func beginEnvelope(flags: UInt8 = 0) -> Int {
        let start = count
        EnvelopePrefix(flags: flags, length: 0).append(to: &self)
        return start
    }

    /// Everything behind the prefix at `start` is its payload.
    @inlinable
    public mutating func endEnvelope(at start: Int) {
        let length = UInt32(clamping: count - start - EnvelopePrefix.byteCount)
        EnvelopePrefix(flags: self[start], length: length).overwrite(at: start, in: &self)
    }
}

/// A message announces more than the limit.
public struct EnvelopeTooLong: Error, Equatable, Sendable {
    public var length: UInt32
}

/// Finds message boundaries in a body that arrives in pieces of any size, without keeping payload.
///
///     prefix ──5 bytes──▶ begin ──▶ payload … ──length bytes──▶ end ──▶ prefix
///
/// Small copyable state. Unknown flags are left to the caller, who sees them in `begin`.
public struct EnvelopeReader: Sendable {
    private enum State { case prefix, payload }

    private let limit: UInt32
    private var state = State.prefix
    private var prefixBytes: UInt64 = 0
    private var prefixCount = 0
    private var remaining = 0

    /// `limit`: payload bytes a message may have; exactly that many pass.
    public init(limit: Int) {
        self.limit = UInt32(clamping: limit)
    }

    /// Whether the body may end here: nothing of a next message has arrived.
    public var isAtBoundary: Bool { state == .prefix && prefixCount == 0 }

    /// The next event in `bytes[offset...]`; moves `offset` past what was used. After `needMore` the
    /// piece is used up.
    ///
    public mutating func next(
        in bytes: Span<UInt8>, from offset: inout Int
    ) throws(EnvelopeTooLong) -> EnvelopeEvent {
        switch state {
        case .prefix:
            while prefixCount < EnvelopePrefix.byteCount {
                guard offset < bytes.count else { return .needMore }
                prefixBytes = prefixBytes << 8 | UInt64(bytes[offset])
                prefixCount += 1
                offset += 1
            }
            return .begin(try begin())
        case .payload:
            if remaining == 0 {
                state = .prefix
                return .end
            }
            let taken = min(remaining, bytes.count - offset)
            guard taken > 0 else { return .needMore }
            defer {
                remaining -= taken
                offset += taken
            }
            return .payload(offset..<offset + taken)
        }
    }

    private mutating func begin() throws(EnvelopeTooLong) -> EnvelopePrefix {
        let prefix = EnvelopePrefix(
            flags: UInt8(truncatingIfNeeded: prefixBytes >> 32),
            length: UInt32(truncatingIfNeeded: prefixBytes))
        guard prefix.length <= limit else { throw EnvelopeTooLong(length: prefix.length) }
        prefixBytes = 0
        prefixCount = 0
        remaining = Int(prefix.length)
        state = .payload
        return prefix
    }
}
