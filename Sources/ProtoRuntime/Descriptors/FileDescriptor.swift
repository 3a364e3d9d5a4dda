/// One .proto file of the pool.
public struct FileDescriptor: Sendable {
    /// The name that imports use, such as "google/api/http.proto".
    public let name: String
    /// "" for none.
    public let package: String
    /// 998 proto2, 999 proto3, 1000 edition 2023, 1001 edition 2024.
    public let edition: Int32
    /// Names of the imported files, in the order of the file.
    public let dependencies: [String]
    /// The serialized FileDescriptorProto as it came, without its source_code_info.
    public let serialized: [UInt8]

    /// "proto2", "proto3" or "editions".
    public var syntax: String {
        switch edition {
        case Edition.proto2.rawValue: "proto2"
        case Edition.proto3.rawValue: "proto3"
        default: "editions"
        }
    }
}
