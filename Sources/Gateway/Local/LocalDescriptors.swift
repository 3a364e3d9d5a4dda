import ProtoRuntime
import Transcode

/// The descriptors of the services that the gateway answers itself: health and reflection.
enum LocalDescriptors {
    /// A serialized FileDescriptorSet: `Protos/local.binpb`.
    static func fileDescriptorSet() -> [UInt8] {
        var output = OutputBlock()
        do throws(BinaryMetadata.Malformed) {
            try BinaryMetadata.decode(encoded.utf8Span.span, into: &output)
        } catch {
            preconditionFailure("LocalDescriptorBytes.swift is not what Protos/embed writes")
        }
        return [UInt8](copying: output.bytes)
    }

    /// Its files, each serialized.
    static func files() -> [[UInt8]] {
        do throws(WireError) {
            return try Reflection.Files(decoding: fileDescriptorSet().span).files
        } catch {
            preconditionFailure("Protos/local.binpb is no FileDescriptorSet: \(error)")
        }
    }
}
