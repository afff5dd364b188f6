// swift-tools-version: 6.2
import PackageDescription

/// accept4, splice and their like are declared for GNU sources only.
let linux: [CSetting] = [.define("_GNU_SOURCE")]

let package = Package(
    name: "ddirect-benchmarks",
    products: [
        .executable(name: "load", targets: ["Load"]),
        .executable(name: "origin", targets: ["Origin"]),
        .executable(name: "floor", targets: ["Floor"]),
    ],
    targets: [
        // What the tools share: addresses as they are written, and what a client and an origin say to each other.
        .target(name: "Address", cSettings: linux),
        .target(name: "Exchange", cSettings: linux),

        // The two ends of the traffic, and the bare relay that is the limit we compare with. In C: an end must
        // cost much less than the proxy that it measures, and the limit must owe nothing to a language.
        .executableTarget(name: "Load", dependencies: ["Address", "Exchange"], cSettings: linux),
        .executableTarget(name: "Origin", dependencies: ["Address", "Exchange"], cSettings: linux),
        .executableTarget(name: "Floor", dependencies: ["Address"], cSettings: linux),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)
