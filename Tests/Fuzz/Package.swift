// swift-tools-version: 6.2
import PackageDescription

/// As the root package, but that warnings do not stop a fuzzing run.
let ours: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// libFuzzer brings `main`. These targets link only when they are built with `--sanitize=fuzzer`, as `run` does.
func fuzzer(_ name: String, of parser: Target.Dependency = "Routing") -> Target {
    .executableTarget(
        name: name, dependencies: ["FuzzInput", "Domain", parser],
        swiftSettings: ours + [.unsafeFlags(["-parse-as-library"])])
}

/// The parsers are targets of this package too, by links to where they are. As products of the root package they would
/// bring its thirty dependencies along, which would be fetched and planned again.
let package = Package(
    name: "fuzz",
    dependencies: [.package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: [])],
    targets: [
        .target(name: "Domain", swiftSettings: ours),
        .target(name: "Routing", dependencies: ["Domain"], swiftSettings: ours),
        .target(name: "Replies", dependencies: ["Domain"], swiftSettings: ours),
        .target(
            name: "Wire", dependencies: ["Domain", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["Channel.proto"], swiftSettings: ours),
        .target(name: "FuzzInput", swiftSettings: ours),
        fuzzer("FuzzClientHello"),
        fuzzer("FuzzRequestHead"),
        fuzzer("FuzzResponseHead"),
        fuzzer("FuzzChunkedBody"),
        fuzzer("FuzzProxyHeader"),
        fuzzer("FuzzFrame", of: "Wire"),
        fuzzer("FuzzNameReply", of: "Replies"),
    ]
)
