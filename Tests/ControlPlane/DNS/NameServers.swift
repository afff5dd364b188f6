import Domain
import Foundation

@testable import DNS

/// A server for the provider tests: a zone for each that asks, and how to come to it.
protocol LaboratoryServer: Sendable {
    func zone() async throws -> LaboratoryZone
}

/// Hands out each of some zones once.
actor ZoneSupply {
    private var names: [DomainName]

    /// Named after their number, `z1.test` and so on.
    init(_ count: Int) throws { names = try (1...count).map { try DomainName("z\($0).test") } }

    var all: [DomainName] { names }

    func next() throws -> DomainName {
        guard let name = names.popLast() else {
            throw Failure("there are more tests than zones; expected a greater supply")
        }
        return name
    }
}

/// BIND or Knot, as primary of many zones. Its keys: `ddirect` and `strong` (by SHA-512) may change everything,
/// `narrow` only the addresses of www.
final class NameServer: LaboratoryServer {
    enum Software: Sendable {
        case bind
        case knot
    }

    private let daemon: Daemon
    private let address: TransportAddress
    private let supply: ZoneSupply
    private let credentials: Credentials

    private static let keys = [("ddirect", "hmac-sha256"), ("narrow", "hmac-sha256"), ("strong", "hmac-sha512")]

    init(_ software: Software) async throws {
        supply = try ZoneSupply(60)
        address = try await .free()
        let folder = try Daemon.folder()
        let zones = await supply.all
        for zone in zones {
            try write(
                """
                $ORIGIN \(zone).
                $TTL 5
                @ SOA ns1 hostmaster 1 60 5 3600 5
                @ NS ns1
                ns1 A 127.0.0.1
                beside TXT "here"
                beside A 192.0.2.77

                """, to: "\(folder)/\(zone).zone")
        }
        let secret = Data((0..<32).map { _ in UInt8.random(in: 0 ... .max) }).base64EncodedString()
        credentials = try Daemon.credentials(
            in: folder,
            [
                "right": secret + "\n", "wrong": Data(repeating: 7, count: 32).base64EncodedString(),
                "damaged": "no base 64!",
            ])
        switch software {
        case .bind:
            try write(NameServer.bind(zones, address, secret, folder), to: "\(folder)/named.conf")
            daemon = try Daemon("named", ["-c", "\(folder)/named.conf", "-g", "-n", "1"], in: folder)
        case .knot:
            try write(NameServer.knot(zones, address, secret, folder), to: "\(folder)/knot.conf")
            daemon = try Daemon("knotd", ["-c", "\(folder)/knot.conf"], in: folder)
        }
        let server = AuthoritativeServer(address: address)
        try await daemon.awaitReady {
            for zone in [zones.first, zones.last].compactMap(\.self) {
                guard let name = try? DomainName("ns1.\(zone)"),
                    case .records(let sets) = await AuthorityCheck.patient.ask(server, name: name, .a), !sets.isEmpty
                else { return false }
            }
            return true
        }
    }

    private static func bind(
        _ zones: [DomainName], _ address: TransportAddress, _ secret: String, _ folder: String
    ) -> String {
        let keys = keys.map { "key \"\($0)\" { algorithm \($1); secret \"\(secret)\"; };\n" }.joined()
        let all = zones.map {
            """
            zone "\($0)" { type primary; file "\($0).zone"; update-policy {
              grant ddirect zonesub ANY; grant strong zonesub ANY; grant narrow name www.\($0). A AAAA; }; };

            """
        }
        return """
            \(keys)
            options {
              directory "\(folder)"; pid-file "\(folder)/named.pid"; session-keyfile "\(folder)/session.key"; lock-file none;
              managed-keys-directory "\(folder)"; listen-on port \(address.port) { \(address.address); }; listen-on-v6 { none; };
              recursion no; dnssec-validation no; notify no; };
            controls { };
            \(all.joined())
            """
    }

    private static func knot(
        _ zones: [DomainName], _ address: TransportAddress, _ secret: String, _ folder: String
    ) -> String {
        let keys = keys.map { "  - id: \($0)\n    algorithm: \($1)\n    secret: \(secret)\n" }.joined()
        let all = zones.map { "  - domain: \($0)\n    file: \($0).zone\n" }.joined()
        return """
            server:
              rundir: "\(folder)"
              listen: \(address.address)@\(address.port)
              \(getuid() == 0 ? "user: root" : "identity: \"test\"")
              tcp-io-timeout: 60000
            log:
              - target: stderr
                any: info
            database:
              storage: "\(folder)"
            key:
            \(keys)
            acl:
              - id: all
                key: [ ddirect, strong ]
                action: update
              - id: narrow
                key: narrow
                action: update
                update-owner: name
                update-owner-match: equal
                update-owner-name: [ www ]
                update-type: [ A, AAAA ]
            template:
              - id: default
                storage: "\(folder)"
                acl: [ all, narrow ]
                zonefile-sync: -1
                zonefile-load: difference
                journal-content: all
            zone:
            \(all)
            """
    }

    func zone() async throws -> LaboratoryZone {
        let name = try await supply.next()
        let (address, credentials) = (address, credentials)
        return LaboratoryZone(name: name, dns: address) { variation in
            var provider = UpdateProvider(
                zone: name, server: address, keyName: try DomainLabelName("ddirect"), algorithm: .sha256,
                credential: try CredentialName("right"), credentials: credentials, limit: patience)
            switch variation {
            case .right: return provider
            case .credential(let text): return provider.with(credential: try CredentialName(text))
            case .key(let key):
                return provider.with(key: try DomainLabelName(key), algorithm: key == "strong" ? .sha512 : .sha256)
            case .elsewhere(let place, let limit):
                provider = provider.with(server: place)
                provider.limit = limit
                return provider
            }
        }
    }
}

extension UpdateProvider {
    func with(
        server: TransportAddress? = nil, key: DomainLabelName? = nil, algorithm: UpdateAlgorithm? = nil,
        credential: CredentialName? = nil
    ) -> UpdateProvider {
        UpdateProvider(
            zone: zone, server: server ?? self.server, keyName: key ?? keyName, algorithm: algorithm ?? self.algorithm,
            credential: credential ?? self.credential, credentials: credentials, limit: limit)
    }
}
