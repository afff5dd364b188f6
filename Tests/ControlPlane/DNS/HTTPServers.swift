import Domain
import Foundation
import Outgoing

@testable import DNS
@testable import JSON

/// PowerDNS with its API, on SQLite, without any of its caches.
final class PowerDNSServer: LaboratoryServer {
    private let daemon: Daemon
    private let dns: TransportAddress
    private let api: TransportAddress
    private let supply: ZoneSupply
    private let credentials: Credentials

    private var http: ProviderHTTP { ProviderHTTP.patient }

    init() async throws {
        supply = try ZoneSupply(60)
        dns = try await .free()
        api = try await .free()
        let folder = try Daemon.folder()
        let schema = "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"
        try succeed("sqlite3", ["\(folder)/pdns.db"], input: String(contentsOfFile: schema, encoding: .utf8))
        try write(
            """
            launch=gsqlite3
            gsqlite3-database=\(folder)/pdns.db
            gsqlite3-pragma-synchronous=0
            socket-dir=\(folder)
            local-address=\(dns.address)
            local-port=\(dns.port)
            api=yes
            api-key=secret
            webserver=yes
            webserver-address=\(api.address)
            webserver-port=\(api.port)
            webserver-allow-from=127.0.0.0/8
            cache-ttl=0
            query-cache-ttl=0
            negquery-cache-ttl=0
            zone-cache-refresh-interval=0
            daemon=no
            guardian=no
            disable-syslog=yes
            write-pid=no

            """, to: "\(folder)/pdns.conf")
        credentials = try Daemon.credentials(
            in: folder, ["right": "secret\n", "wrong": "another", "damaged": "sec\nret"])
        daemon = try Daemon("pdns_server", ["--config-dir=\(folder)"], in: folder)
        try await daemon.awaitReady { (try? await call("", nil)) == 200 }
    }

    private func call(_ path: String, _ body: JSONValue?) async throws -> Int {
        var request = OutgoingRequest("GET", "http://\(api)/api/v1/servers/localhost/zones\(path)")
        request.add("X-API-Key", "secret")
        if let body {
            request.method = "POST"
            request.add("Content-Type", "application/json")
            request.body = Array(body.description.utf8)
        }
        return try await http.send(request).status
    }

    func zone() async throws -> LaboratoryZone {
        let name = try await supply.next()
        let zone: JSONValue = ["name": .string("\(name)."), "kind": "Native", "nameservers": [.string("ns1.\(name).")]]
        var made = 500
        while made == 500 {
            made = try await call("", zone)
            try await Task.sleep(for: .milliseconds(10))
        }
        guard made == 201 else { throw Failure("the zone is not made: \(made)") }
        let (api, credentials, http) = (api, credentials, http)
        return LaboratoryZone(name: name, dns: dns) { variation in
            var (place, credential, http) = (api, "right", http)
            switch variation {
            case .right, .key: break
            case .credential(let text): credential = text
            case .elsewhere(let elsewhere, let limit):
                place = elsewhere
                http.limit = limit
            }
            return PatientProvider(
                provider: PowerDNSProvider(
                    zone: name, url: "http://\(place)", server: "localhost", credential: try CredentialName(credential),
                    credentials: credentials, http: http, limit: patience))
        }
    }
}

/// Tries again what is not done now, as everybody does who uses a provider: PowerDNS on SQLite answers 500, and has
/// done nothing, while a change of another zone is under way, and tests are beside each other.
private struct PatientProvider: DNSProvider {
    let provider: PowerDNSProvider

    private func patiently<Value>(_ operation: () async throws -> Value) async throws -> Value {
        for _ in 0..<100 {
            do {
                return try await operation()
            } catch let failure as DNSFailure where failure.reason.contains("answers 500") {
                try await Task.sleep(for: .milliseconds(.random(in: 10...50)))
            }
        }
        return try await operation()
    }

    func present(_ names: [DomainName]) async throws -> [DomainName: [RecordSet]] {
        try await patiently { try await provider.present(names) }
    }

    func apply(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        try await patiently { try await provider.apply(changes) }
    }

    func rehearse(_ changes: [RecordChange]) async throws -> ZoneOutcome {
        try await patiently { try await provider.rehearse(changes) }
    }
}

/// Route 53 as moto has it, and as route53.py makes it strict.
final class Route53Server: LaboratoryServer {
    private let daemon: Daemon
    private let place: TransportAddress
    private let supply: ZoneSupply
    private let hostedZones: [String: String]
    private let credentials: Credentials

    init() async throws {
        supply = try ZoneSupply(60)
        place = try await .free()
        let zones = await supply.all.map(\.text)
        let folder = try Daemon.folder()
        credentials = try Daemon.credentials(
            in: folder,
            [
                "right": "AKIDEXAMPLE\nsecret\n", "wrong": "AKIDEXAMPLE\nanother\n", "reader": "AKIDREADER\nreader\n",
                "damaged": "AKIDEXAMPLE",
            ])
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        daemon = try Daemon(
            try Route53Server.python(above: here),
            [here.appendingPathComponent("route53.py").path, "\(place.address)", "\(place.port)"] + zones,
            in: folder)
        let (daemon, http, place) = (daemon, ProviderHTTP.patient, place)
        try await daemon.awaitReady {
            (try? await http.send(OutgoingRequest("GET", "http://\(place)/moto-api/"))) != nil
        }
        let lines = daemon.log.split(separator: "\n").map { $0.split(separator: " ") }
        hostedZones = Dictionary(lines.compactMap { $0.count == 2 ? (String($0[0]), String($0[1])) : nil }) {
            first, _ in first
        }
    }

    /// In the folder that deploy/install-moto makes once.
    private static func python(above folder: URL) throws -> String {
        var root = folder
        while root.path != "/",
            !FileManager.default.fileExists(atPath: root.appendingPathComponent("Package.swift").path)
        {
            root.deleteLastPathComponent()
        }
        let python = root.appendingPathComponent(".build/moto/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw Failure("moto is not in \(python); `deploy/install-moto` puts it there")
        }
        return python
    }

    func zone() async throws -> LaboratoryZone {
        let name = try await supply.next()
        guard let hostedZone = hostedZones[name.text] else {
            throw Failure("there is no hosted zone \(name): \(daemon.log)")
        }
        let (place, credentials) = (place, credentials)
        return LaboratoryZone(name: name, dns: nil) { variation in
            var (place, credential, http) = (place, "right", ProviderHTTP.patient)
            switch variation {
            case .right, .key: break
            case .credential(let text): credential = text
            case .elsewhere(let elsewhere, let limit):
                place = elsewhere
                http.limit = limit
            }
            return Route53Provider(
                zone: name, hostedZone: hostedZone, url: "http://\(place)", credential: try CredentialName(credential),
                credentials: credentials, http: http, now: { Date() }, limit: patience)
        }
    }
}
