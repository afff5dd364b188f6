// swift-tools-version: 6.2
import PackageDescription

/// Apart from the other tools, since it brings the channel and with it swift-protobuf, which takes minutes to build.
let package = Package(
    name: "ddirect-stub-fleet",
    products: [.executable(name: "stub-fleet", targets: ["StubFleet"])],
    dependencies: [.package(name: "ddirect", path: "../..")],
    targets: [
        .executableTarget(
            name: "StubFleet", dependencies: [.product(name: "Wire", package: "ddirect")],
            swiftSettings: [
                .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ])
    ]
)
