extension FileDescriptor {
    /// Whether two serialized FileDescriptorProtos say the same, whatever their comments and whether they spell out
    /// default JSON names. Bytes that are no FileDescriptorProto equal only themselves.
    public static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        if left == right { return true }
        guard let left = try? parsed(left), let right = try? parsed(right) else { return false }
        return FileSet.same(left, right)
    }

    private static func parsed(_ bytes: [UInt8]) throws -> SourceFile {
        let kept = try FileSet.withoutSourceInfo(WireReader(bytes.span), in: bytes)
        return try FileSet.parse(kept, place: "the file")
    }
}
