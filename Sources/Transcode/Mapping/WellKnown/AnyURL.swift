import ProtoRuntime

/// The names that google.protobuf.Any uses.
enum AnyURL {
    /// Where the type's full name starts in the URL: behind the last slash; nil if nothing is there.
    static func typeName(of url: Span<UInt8>) -> Int? {
        var start = url.count
        while start > 0, url[start - 1] != UInt8(ascii: "/") { start -= 1 }
        return start > 0 && start < url.count ? start : nil
    }

    static func isTypeKey(_ name: Span<UInt8>) -> Bool { equals(name, typeKey) }
    static func isValueKey(_ name: Span<UInt8>) -> Bool { equals(name, valueKey) }

    private static func equals(_ name: Span<UInt8>, _ key: [5 of UInt8]) -> Bool {
        guard name.count == 5 else { return false }
        return key.indices.allSatisfy { name[$0] == key[$0] }
    }

    private static let typeKey: [5 of UInt8] = [0x40, 0x74, 0x79, 0x70, 0x65]
    private static let valueKey: [5 of UInt8] = [0x76, 0x61, 0x6c, 0x75, 0x65]
}

extension DescriptorTables {
    /// Index of the message with that full name; -1 if there is none. A linear search: Any is cold.
    func messageIndex(named name: Span<UInt8>) -> Int32 {
        guard name.count <= Int(UInt16.max) else { return -1 }
        for index in 0..<messageCount {
            let entry = message(index)
            guard Int(entry.fullNameLength) == name.count else { continue }
            let found = text(offset: entry.fullNameOffset, length: entry.fullNameLength)
            if found.indices.allSatisfy({ found[$0] == name[$0] }) { return index }
        }
        return -1
    }
}
