// swift-tools-version:6.2

import PackageDescription

// The benchmarks of what has no network:
//     swift run -c release --package-path Benchmarks codec-benchmark Benchmarks/load/out
//     swift run -c release --package-path Benchmarks route-benchmark Protos/test/rest.binpb
let settings: [SwiftSetting] = [
    .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let library: [Target.Dependency] = [
    "CMallocCount", .product(name: "Transcode", package: "gateway"),
    .product(name: "ProtoRuntime", package: "gateway"),
]

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "gateway", path: "..")],
    targets: [
        .target(name: "CMallocCount"),
        .executableTarget(
            name: "codec-benchmark", dependencies: library, swiftSettings: settings),
        .executableTarget(
            name: "route-benchmark", dependencies: library, swiftSettings: settings),
    ]
)
