// swift-tools-version:6.2

import PackageDescription

// The benchmarks of what has no network:
//     swift run -c release --package-path Benchmarks codec-benchmark Benchmarks/load/out
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "gateway", path: "..")],
    targets: [
        .target(name: "CMallocCount"),
        .executableTarget(
            name: "codec-benchmark",
            dependencies: [
                "CMallocCount",
                .product(name: "Transcode", package: "gateway"),
                .product(name: "ProtoRuntime", package: "gateway"),
            ],
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ]
)
