import ProtoRuntime

/// The messages of `Protos/gateway/demo/v1`, written by hand: the gateway has no generated code.
enum Demo {}

extension Demo {
    /// google.protobuf.Empty.
    struct Empty: WireMessage {
        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() { try reader.skip(tag) }
        }

        func encode(into output: inout OutputBlock) {}
    }

    /// google.protobuf.Timestamp and google.protobuf.Duration, which look alike on the wire.
    struct SecondsAndNanos: WireMessage, Comparable {
        var seconds: Int64 = 0
        var nanos: Int32 = 0

        /// The present time of day.
        static var now: SecondsAndNanos {
            let now = WallClock.now()
            return SecondsAndNanos(seconds: now.seconds, nanos: now.nanoseconds)
        }

        init(seconds: Int64 = 0, nanos: Int32 = 0) {
            self.seconds = seconds
            self.nanos = nanos
        }

        init() {}

        /// A duration; `nanoseconds` is not negative.
        init(nanoseconds: Int64) {
            seconds = nanoseconds / 1_000_000_000
            nanos = Int32(truncatingIfNeeded: nanoseconds % 1_000_000_000)
        }

        /// The whole as nanoseconds; saturates at about 292 years either way.
        var nanoseconds: Int64 {
            let product = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let sum = product.partialValue.addingReportingOverflow(Int64(nanos))
            guard !product.overflow, !sum.overflow else { return seconds < 0 ? .min : .max }
            return sum.partialValue
        }

        static func < (left: SecondsAndNanos, right: SecondsAndNanos) -> Bool {
            (left.seconds, left.nanos) < (right.seconds, right.nanos)
        }

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: seconds = try reader.readInt64(tag)
                case 2: nanos = try reader.readInt32(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, seconds)
            output.appendSet(2, nanos)
        }
    }

    typealias Timestamp = SecondsAndNanos
    typealias Duration = SecondsAndNanos

    /// google.protobuf.FieldMask: paths by the fields' declared names.
    struct FieldMask: WireMessage {
        var paths: [String] = []

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: paths.append(try reader.readString(tag))
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            for path in paths { output.appendField(1, string: path) }
        }
    }
}
