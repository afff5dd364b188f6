import Domain
import Wire

/// Random numbers that are the same in every run, so that what a test finds can be found again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Configurations for tests; `seed` makes one differ from another.
enum Sample {
    static let incarnation = Incarnation(0xFEED_0000_0000_0001)

    static func settings(seed: Int = 0) throws -> ServerSettings {
        let service = try ServiceName("service-0")
        return ServerSettings(
            server: try Server(
                name: ServerName("za1"), region: RegionName("af-south-1"), hostname: DomainName("za\(seed).dfree.test"),
                addresses: [Address("192.0.2.1"), Address("2001:db8::1")], trustedSenders: [Prefix("198.51.100.0/24")],
                defaultServices: [Address("192.0.2.1"): service],
                limits: seed % 2 == 0 ? .standard : ServerLimits(clientOpenings: Limit(1 + seed)),
                flowLog: seed % 3 == 0 ? .standard : FlowLog(oneIn: UInt32(seed % 1000))),
            policy: EndpointPolicy(
                exceptions: [try Prefix("127.0.0.0/8")],
                fleet: [try Address("192.0.2.1"), try Address("203.0.113.\(seed % 200)")]))
    }

    static func name(_ number: Int) throws -> ServiceName { try ServiceName("service-\(number)") }

    static func carriage(_ number: Int, seed: Int = 0) throws -> Carriage {
        try Carriage(
            clientDomains: [ClientDomain("app\(number).acme.example"), ClientDomain("*.app\(number).acme.example")],
            endpoint: Endpoint(
                EndpointTarget(host: EndpointHost("origin\(seed).acme.example"), httpPort: Port(8080)),
                fallbacks: seed % 2 == 0 ? [] : [EndpointTarget(host: EndpointHost("192.0.2.\(seed % 250)"))],
                check: seed % 4 == 0 ? nil : check(seed)),
            acceptProxyProtocol: seed % 3 == 0, sendProxyProtocol: SendProxyProtocol.allCases[seed % 3],
            forwardedFor: ForwardedFor.allCases[seed % 3],
            forwardedFields: seed % 5 == 0 ? nil : ForwardedFields.allCases[seed % 3],
            limits: seed % 5 == 1
                ? .standard : ServiceLimits(connections: Limit(1 + seed), minimumRate: UInt32(seed % 1000)),
            access: seed % 5 == 2
                ? .open : ClientAccess(allow: [Prefix("10.0.0.0/8")], deny: [Prefix("10.\(seed % 250).0.0/16")]),
            flowLog: seed % 5 == 3 ? .standard : FlowLog(oneIn: UInt32(seed % 1000)))
    }

    static func check(_ seed: Int) throws -> HealthCheck {
        try HealthCheck(
            kind: HealthCheck.Kind.allCases[seed % 3], path: "/health?\(seed)", interval: 2 + seed % 3599, timeout: 1,
            rise: 1 + seed % 100, fall: 100 - seed % 100, holdDown: seed % 86_401)
    }

    static func snapshot(version: UInt64 = 1, services count: Int = 3, seed: Int = 0) throws -> Snapshot {
        var services: [ServiceName: Carriage] = [:]
        for number in 0..<count { services[try name(number)] = try carriage(number, seed: seed + number) }
        return try Snapshot(
            incarnation: incarnation, version: SnapshotVersion(version), settings: settings(seed: seed),
            services: services)
    }
}

/// What a decoder that takes frames downwards makes of `bytes`, given to it in pieces of `size` octets.
func frames(of bytes: [UInt8], inPiecesOf size: Int, longestFrame: Int = 1 << 20) throws(FrameError) -> [WireFrame] {
    var decoder = FrameDecoder(longestFrame: longestFrame)
    var frames: [WireFrame] = []
    var position = 0
    while position < bytes.count {
        decoder.append(Array(bytes[position..<min(bytes.count, position + size)]))
        position += size
        while let frame = try decoder.next() { frames.append(frame) }
    }
    return frames
}
