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
func fuzzer(_ name: String, of product: String = "Routing") -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzInput", .product(name: product, package: "ddirect")],
        swiftSettings: ours + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "ddirect", path: "../..")],
    targets: [
        .target(name: "FuzzInput", swiftSettings: ours),
        fuzzer("FuzzClientHello"),
        fuzzer("FuzzRequestHead"),
        fuzzer("FuzzResponseHead"),
        fuzzer("FuzzChunkedBody"),
        fuzzer("FuzzProxyHeader"),
        fuzzer("FuzzFrame", of: "Channel"),
    ]
)
