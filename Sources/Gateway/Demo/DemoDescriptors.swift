import ProtoRuntime
import Transcode

/// The descriptor set of the demo's services, embedded: what `gateway demo` serves without any file.
public enum DemoDescriptors {
    /// A serialized FileDescriptorSet: `Protos/demo.binpb`.
    public static func fileDescriptorSet() -> [UInt8] {
        var output = OutputBlock()
        do throws(BinaryMetadata.Malformed) {
            try BinaryMetadata.decode(encoded.utf8Span.span, into: &output)
        } catch {
            preconditionFailure("DemoDescriptorBytes.swift is not what Protos/embed writes")
        }
        return [UInt8](copying: output.bytes)
    }

    /// What the demo's own reflection and health services tell.
    static func reflectionIndex() -> ReflectionIndex {
        do throws(DescriptorError) {
            let pool = try DescriptorPool(fileDescriptorSets: [fileDescriptorSet()])
            return ReflectionIndex(
                [pool], services: pool.services.map { .init(name: $0.fullName, pool: 0) })
        } catch {
            preconditionFailure("Protos/demo.binpb cannot be linked: \(error)")
        }
    }
}
