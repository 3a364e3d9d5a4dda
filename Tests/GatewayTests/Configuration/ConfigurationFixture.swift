import Foundation

@testable import Gateway

/// Reads configurations in tests: files and environment variables are made up.
enum ConfigurationFixture {
    static let environment = ["SECRET": "hunter2", "PORT": "50051", "LEVEL": "debug"]
    static let files = ["/secret": "debug\n", "demo-path": "demo.binpb\r\n"]

    /// Decodes and assembles, as `gateway check` does. `demo.binpb` is the demo's descriptor set.
    /// - Parameter sets: more descriptor sets by their paths.
    static func load(_ bytes: [UInt8], sets: [String: [UInt8]] = [:]) throws(ConfigurationError)
        -> ConfiguredGateway
    {
        try ConfiguredGateway(
            try decode(bytes), file: "c.yaml", path: { $0 },
            readFile: { (name) throws(ConfigurationFileError) in
                if let set = sets[name] { return set }
                return switch name {
                case "demo.binpb", "../Protos/demo.binpb": DemoDescriptors.fileDescriptorSet()
                case "junk.binpb": Array("junk".utf8)
                default: throw ConfigurationFileError(reason: "No such file or directory")
                }
            })
    }

    static func decode(_ bytes: [UInt8]) throws(ConfigurationError) -> Configuration {
        try Configuration(
            decoding: bytes, file: "c.yaml", environment: { environment[$0] },
            file: { (name) throws(ConfigurationFileError) in
                guard let text = files[name] else {
                    throw ConfigurationFileError(reason: "No such file or directory")
                }
                return text
            })
    }

    static func load(_ text: String, sets: [String: [UInt8]] = [:]) throws(ConfigurationError)
        -> ConfiguredGateway
    {
        try load(Array(text.utf8), sets: sets)
    }

    /// `more` behind a listener, an upstream `a` and the demo's services.
    static func minimal(_ more: String = "") -> String {
        """
        listeners: [{address: 127.0.0.1:0}]
        upstreams: {a: {target: 127.0.0.1:1}}
        services: [{upstream: a, descriptors: {file: demo.binpb}}]
        \(more)
        """
    }

    /// A file of the repository.
    static func repositoryFile(_ path: String) throws -> [UInt8] {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return Array(try Data(contentsOf: root.appending(path: path)))
    }
}

/// A small generator of random numbers with a seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
