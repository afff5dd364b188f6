/// BIND 9: authoritative for acme.test on a loopback port, whose records a test changes while it runs.
final class BIND: NameServer {
    let place: Place

    /// Starts with `records`, each a line of a zone file such as `app 1 CNAME site.acme.test.`
    init(_ records: String...) throws {
        let folder = try makeFolder(Scene.present().path("bind"))
        // named looks for listen-on's addresses among those of its interfaces, and of 127.0.0.0/8 they have this one.
        place = try Place.fresh(1, at: "127.0.0.1")[0]
        let configuration = "\(folder)/named.conf"
        try write(
            """
            options {
              directory "\(folder)"; pid-file "\(folder)/named.pid"; session-keyfile "\(folder)/session.key"; lock-file none;
              managed-keys-directory "\(folder)"; listen-on port \(place.port) { \(place.address); }; listen-on-v6 { none; };
              recursion no; dnssec-validation no; notify no; };
            controls { };
            zone "acme.test" { type primary; file "acme.test.zone"; allow-update { 127.0.0.0/8; }; };

            """, to: configuration)
        let lines = [
            "$ORIGIN acme.test.", "$TTL 1", "@ SOA ns1 hostmaster 1 60 5 3600 1", "@ NS ns1", "ns1 A \(place.address)",
        ]
        try write((lines + records).joined(separator: "\n") + "\n", to: "\(folder)/acme.test.zone")
        let program = try Program("named", ["-c", configuration, "-g", "-n", "1"])
        try awaitAnswers(program)
    }

    /// Points the CNAME `name` at `target` instead. When this returns, BIND answers so.
    func point(_ name: String, ttl: Int, to target: String) throws {
        try update(name, ttl: ttl, "CNAME", "\(target).acme.test.")
    }
}
