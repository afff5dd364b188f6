// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is compiled with: the whole language in its strictest form.
let ours: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// A subject of the control plane: a module in the folder of its name, of which nobody can lean on more than it
/// declares as `package`. What it may import stands here and nowhere else.
func subject(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/ControlPlane/\(name)", swiftSettings: ours)
}

/// The products that several subjects stand on.
enum Products {
    static let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
    static let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
    static let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
    static let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
    static let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
    static let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
    static let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
}

let package = Package(
    name: "ddirect",
    products: [
        .executable(name: "ddirect-control", targets: ["ddirect-control"]),
        .executable(name: "ddirect-proxy", targets: ["ddirect-proxy"]),
        .executable(name: "ddirect", targets: ["ddirect"]),
        // For packages of others: Benchmarks/StubFleet speaks the channel.
        .library(name: "Wire", targets: ["Domain", "Wire"]),
        .library(name: "Routing", targets: ["Routing"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Without its traits, one of which is made of Foundation's streams: the data plane links no Foundation.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // Shared: knows neither plane.
        .target(name: "Domain", path: "Sources/Shared/Domain", swiftSettings: ours),
        .target(
            name: "Wire",
            dependencies: ["Domain", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            path: "Sources/Shared/Wire",
            exclude: ["Channel.proto"],
            swiftSettings: ours
        ),
        .target(
            name: "Daemon",
            dependencies: ["Domain", "CHost", "CSystemd", .product(name: "Logging", package: "swift-log")],
            path: "Sources/Shared/Daemon",
            swiftSettings: ours
        ),
        .target(name: "JSON", path: "Sources/Shared/JSON", swiftSettings: ours),
        .target(name: "CHost", path: "Sources/Shared/CHost"),
        .systemLibrary(
            name: "CSystemd", path: "Sources/Shared/CSystemd", pkgConfig: "libsystemd",
            providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/Shared/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CAres", path: "Sources/Shared/CAres", pkgConfig: "libcares",
            providers: [.apt(["libc-ares-dev"])]),

        // Data plane.
        .target(name: "CLinux", path: "Sources/DataPlane/CLinux"),
        .target(
            name: "Syscalls",
            dependencies: ["Domain", "CLinux", "CAres", "COpenSSL"],
            path: "Sources/DataPlane/Syscalls",
            swiftSettings: ours
        ),
        .target(name: "Routing", dependencies: ["Domain"], path: "Sources/DataPlane/Routing", swiftSettings: ours),
        .target(
            name: "DataPlane",
            dependencies: [
                "Domain", "Wire", "Daemon", "Routing", "Syscalls",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/DataPlane",
            exclude: ["Main", "Routing", "Syscalls", "CLinux"],
            swiftSettings: ours
        ),
        .executableTarget(
            name: "ddirect-proxy",
            dependencies: [
                "DataPlane", "Daemon", "Domain", "Syscalls",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/DataPlane/Main",
            swiftSettings: ours
        ),

        // Control plane.
        .target(
            name: "CLdns", path: "Sources/ControlPlane/CLdns", linkerSettings: [.linkedLibrary("ldns")]),
        subject("Fleet", ["Domain", "JSON"]),
        subject(
            "Store", ["Domain", "JSON", "Fleet", .product(name: "GRDB", package: "GRDB.swift")]),
        subject("Access", ["Domain", "Fleet", "Store", Products.crypto, Products.system]),
        subject("Outgoing", [Products.asyncHTTPClient, Products.nio, Products.nioPosix]),
        subject(
            "Notices",
            [
                "Domain", "JSON", "Store", "Outgoing", Products.crypto, Products.lifecycle,
                Products.logging, Products.nio, Products.nioPosix,
            ]),
        subject(
            "DNS",
            [
                "Domain", "JSON", "CLdns", "Outgoing", Products.crypto, Products.nio, Products.nioPosix,
                Products.system, .product(name: "Subprocess", package: "swift-subprocess"),
            ]),
        subject(
            "Probing",
            [
                "Domain", "JSON", "Wire", "Store", Products.asn1, Products.crypto, Products.lifecycle,
                Products.logging, Products.nio, Products.nioPosix, Products.nioSSL, Products.system, Products.x509,
            ]),
        subject(
            "Channel",
            [
                "Domain", "Wire", "Fleet", "Store", "Access", "Notices", "Probing", Products.asn1, Products.crypto,
                Products.lifecycle, Products.logging, Products.nio, Products.nioPosix, Products.nioSSL,
                Products.system, Products.x509,
            ]),
        subject(
            "Failover",
            [
                "Domain", "JSON", "Fleet", "Store", "Notices", "DNS", "Probing", "Channel", Products.lifecycle,
                Products.logging,
            ]),
        subject("Changes", ["Domain", "JSON", "Fleet", "Store", "Channel", Products.logging]),
        subject(
            "API",
            [
                "Domain", "JSON", "Fleet", "Store", "Access", "Notices", "DNS", "Channel", "Changes", "Failover",
                Products.crypto,
                Products.lifecycle, Products.logging, Products.nio,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ]),
        subject(
            "ControlDaemon",
            [
                "Daemon", "Domain", "Fleet", "Store", "Access", "Notices", "DNS", "Probing", "Channel", "Failover",
                "Changes", "API", "Outgoing", Products.lifecycle, Products.logging, Products.nio,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "ddirect-control",
            dependencies: [
                "ControlDaemon", "Daemon", "Domain",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/ControlPlane/Main",
            swiftSettings: ours
        ),
        .executableTarget(
            name: "ddirect",
            dependencies: [
                "Domain", "JSON",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/ControlPlane/CLI",
            swiftSettings: ours
        ),

        // Tests mirror the sources.
        .testTarget(name: "DomainTests", dependencies: ["Domain"], path: "Tests/Shared/Domain", swiftSettings: ours),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], path: "Tests/Shared/JSON", swiftSettings: ours),
        .testTarget(
            name: "WireTests", dependencies: ["Wire", "Domain"], path: "Tests/Shared/Wire", swiftSettings: ours),
        .testTarget(
            name: "DaemonTests", dependencies: ["Daemon", .product(name: "Logging", package: "swift-log")],
            path: "Tests/Shared/Daemon", swiftSettings: ours),
        .testTarget(
            name: "RoutingTests", dependencies: ["Routing", "Domain"], path: "Tests/DataPlane/Routing",
            swiftSettings: ours),
        .testTarget(
            name: "DataPlaneTests",
            dependencies: [
                "DataPlane", "Domain", "JSON", "Routing", "Syscalls", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/DataPlane", exclude: ["Routing"], swiftSettings: ours),
        .testTarget(
            name: "ControlPlaneTests",
            dependencies: [
                "Fleet", "Store", "Access", "Notices", "Probing", "DNS", "Channel", "Changes", "Failover", "API",
                "ControlDaemon",
                "Daemon", "Domain", "JSON", "Wire", Products.crypto, Products.lifecycle, Products.logging,
                Products.nio, Products.nioPosix, Products.nioSSL, Products.asn1, Products.x509,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            path: "Tests/ControlPlane",
            exclude: ["CLI", "DNS"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "DNSTests",
            dependencies: ["DNS", "Domain", "JSON", "Outgoing", Products.nio, Products.nioPosix],
            path: "Tests/ControlPlane/DNS", exclude: ["route53.py"], swiftSettings: ours),
        .testTarget(
            name: "CLITests",
            dependencies: ["ddirect", "JSON", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/ControlPlane/CLI", swiftSettings: ours),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Domain", "JSON", "Wire", "ddirect-control", "ddirect-proxy", "ddirect",
            ],
            path: "Tests/EndToEnd",
            swiftSettings: ours
        ),
    ]
)
