// swift-tools-version:6.2

import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// The hot byte types (ByteCursor, OutputBlock) check every access when CHECKED is defined. Tests and fuzzers
// run that build: debug always, and `make build-checked` for an optimised one.
let checkedInDebug: [SwiftSetting] = strict + [.define("CHECKED", .when(configuration: .debug))]

let package = Package(
    name: "gateway",
    products: [
        .executable(name: "gateway", targets: ["GatewayCLI"]),
        // For the benchmarks, which are a package of their own.
        .library(name: "Transcode", targets: ["Transcode"]),
        .library(name: "ProtoRuntime", targets: ["ProtoRuntime"]),
        // For the fuzzers, likewise. The name differs from the program's by more than its case.
        .library(name: "GatewayLibrary", targets: ["Gateway"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
        .systemLibrary(
            name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CBrotli", pkgConfig: "libbrotlienc", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "ProtoRuntime",
            dependencies: ["CLinux", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            swiftSettings: checkedInDebug),
        .target(
            name: "Transcode", dependencies: ["ProtoRuntime", "CZlib", "CZstd", "CBrotli"],
            swiftSettings: checkedInDebug),
        .target(
            name: "Gateway",
            dependencies: [
                "Transcode", "ProtoRuntime", "CNghttp2", "COpenSSL", "CLinux", "CYAML", "CAres",
                "CJSONC",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: checkedInDebug),
        .executableTarget(
            name: "GatewayCLI",
            dependencies: [
                "Gateway", "Transcode", "ProtoRuntime",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/gateway",
            swiftSettings: checkedInDebug),
        .testTarget(
            name: "ProtoRuntimeTests",
            dependencies: [
                "ProtoRuntime", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: checkedInDebug),
        .testTarget(
            name: "TranscodeTests", dependencies: ["Transcode", "ProtoRuntime"],
            swiftSettings: checkedInDebug),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Transcode", "ProtoRuntime",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Configuration/Golden"],
            swiftSettings: checkedInDebug),
        // The fuzzers' targets over their corpus, as tests; the fuzzers themselves are Fuzz/Package.swift.
        .testTarget(
            name: "FuzzTests",
            dependencies: ["Gateway", "Transcode", "ProtoRuntime"],
            path: "Fuzz",
            exclude: ["Entry", "Package.swift", "corpus", "dictionaries", "run"],
            sources: ["Targets", "Replay"],
            swiftSettings: checkedInDebug),
    ]
)
