// swift-tools-version:6.2

import PackageDescription

// The fuzzers, all in one program: `make fuzz TARGET=json SECONDS=60`. See docs/fuzzing.md.
//
// `Fuzz/run` gives the flags that no manifest may give its dependencies: instrumentation, -DCHECKED, testability.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "gateway", path: "..")],
    targets: [
        .executableTarget(
            name: "fuzz",
            dependencies: [
                .product(name: "GatewayLibrary", package: "gateway"),
                .product(name: "Transcode", package: "gateway"),
                .product(name: "ProtoRuntime", package: "gateway"),
            ],
            path: ".",
            exclude: ["Replay", "corpus", "run"],
            sources: ["Targets", "Entry"],
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error),
                .enableExperimentalFeature("Lifetimes"),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ])
    ]
)
