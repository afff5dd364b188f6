import Glibc

/// Knot DNS: the zone acme.test on a loopback port, whose records a test changes while it runs.
final class Knot: NameServer {
    let place: Place
    private let folder: String
    private let configuration: String
    private var program: Program?
    private var serial = 1

    /// The key `ddirect`, by which updates may be signed; in base 64.
    static let secret = "bm90IGEgc2VjcmV0IG9mIGFueWJvZHksIGEgdGVzdCdzIG93bg=="

    /// Starts with `records`, each a line of a zone file such as `app 1 A 127.0.0.1`.
    init(_ records: String...) throws {
        folder = try makeFolder(Scene.present().path("knot"))
        place = try Place.fresh()
        configuration = "\(folder)/knot.conf"
        _ = try makeFolder("\(folder)/run")
        try write(
            """
            server:
              rundir: "\(folder)/run"
              listen: \(place.address)@\(place.port)
              \(getuid() == 0 ? "user: root" : "identity: \"test\"")
              tcp-io-timeout: 60000
            log:
              - target: stderr
                any: info
            database:
              storage: "\(folder)"
            key:
              - id: ddirect
                algorithm: hmac-sha256
                secret: \(Knot.secret)
            acl:
              - id: update
                address: 127.0.0.0/8
                action: update
              - id: signed
                key: ddirect
                action: update
            zone:
              - domain: acme.test
                storage: "\(folder)"
                file: acme.test.zone
                acl: [ update, signed ]
                zonefile-sync: -1
                zonefile-load: whole
                journal-content: none

            """, to: configuration)
        try start(records)
    }

    /// Starts it again, after `stop`, with other records.
    func start(_ records: [String]) throws {
        let lines = [
            "$ORIGIN acme.test.", "$TTL 1", "@ SOA ns1 hostmaster \(serial) 60 5 3600 1", "@ NS ns1",
            "ns1 A \(place.address)",
        ]
        serial += 1
        try write((lines + records).joined(separator: "\n") + "\n", to: "\(folder)/acme.test.zone")
        let program = try Program("knotd", ["-c", configuration])
        self.program = program
        try awaitAnswers(program)
    }

    func stop() throws {
        program?.signal(SIGTERM)
        try program?.waitForEnd()
    }

    /// Replaces the addresses of a name by `address`. When this returns, Knot answers so.
    func change(_ name: String, ttl: Int, to address: String) throws {
        try update(name, ttl: ttl, "A", address)
    }
}
