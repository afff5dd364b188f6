import Domain
import FoundationEssentials

/// One authoritative server of a zone.
struct AuthoritativeServer: Hashable, Sendable, CustomStringConvertible {
    let address: TransportAddress
    /// The name by which the zone knows it; nil for one that was configured by its address.
    var name: String?

    var description: String { name.map { "\($0) (\(address))" } ?? "\(address)" }
}

/// What an authoritative server says of a name and type.
enum AuthorityAnswer: Sendable, CustomStringConvertible {
    /// Its records; none when the name has none of the type.
    case records([RecordSet])
    case failure(String)

    var description: String {
        switch self {
        case .records(let sets): sets.isEmpty ? "nothing" : sets.map(\.text).joined(separator: ", ")
        case .failure(let reason): reason
        }
    }
}

/// Asks the authoritative servers of zones, one by one and past every cache.
struct AuthorityCheck: Sendable {
    private static let timeout = Duration.seconds(1)
    private static let attempts = 2

    /// The authoritative servers of a zone: those that it is configured with, or else those that its NS records name.
    func servers(of zone: Zone) async throws -> [AuthoritativeServer] {
        guard zone.authorities.isEmpty else { return zone.authorities.map { AuthoritativeServer(address: $0) } }
        var servers: [AuthoritativeServer] = []
        for record in try await resolve(zone.name.text, "NS") {
            let name = record.hasSuffix(".") ? String(record.dropLast()) : record
            for type in ["A", "AAAA"] {
                for text in try await resolve(name, type) {
                    guard let address = Address(parsing: text.utf8Span.span) else { continue }
                    servers.append(AuthoritativeServer(address: TransportAddress(address, port: 53), name: name))
                }
            }
        }
        guard !servers.isEmpty else {
            throw DNSFailure(
                kind: .unavailable,
                reason: "no authoritative server of zone \(zone.name) is found; expected NS records, or 'authorities' of the zone")
        }
        return servers
    }

    /// Asks one server.
    func ask(_ server: AuthoritativeServer, name: DomainName, _ type: RecordType) async -> AuthorityAnswer {
        var reason = ""
        for attempt in 0..<AuthorityCheck.attempts {
            do {
                let answer = try await LdnsCalls.query(
                    server.address, name.text, type.rawValue, overTCP: attempt > 0, timeout: AuthorityCheck.timeout)
                guard answer.code == ResponseCode.noError || answer.code == ResponseCode.nameError else {
                    return .failure("it answers \(ResponseCode.name(answer.code))")
                }
                guard answer.isAuthoritative else { return .failure("it is not authoritative") }
                return .records([RecordSet(type, answer.records)].compactMap { $0 })
            } catch let failure as LdnsCalls.NoAnswer {
                reason = failure.reason
            } catch {
                return .failure("\(error)")
            }
        }
        return .failure(reason)
    }

    /// Asks the resolvers of this machine, as far as they are named by address (resolv.conf(5)).
    private func resolve(_ name: String, _ type: String) async throws -> [String] {
        let text = (try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)) ?? ""
        let resolvers = text.split(separator: "\n").compactMap { line -> Address? in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return Address(parsing: Array(words[1].utf8).span)
        }
        var reason = "no name server is in /etc/resolv.conf"
        for resolver in resolvers.prefix(3) {
            do {
                let answer = try await LdnsCalls.query(
                    TransportAddress(resolver, port: 53), name, type, isRecursive: true, overTCP: false,
                    timeout: .seconds(2))
                if answer.code == ResponseCode.noError || answer.code == ResponseCode.nameError {
                    return answer.records.map(\.value)
                }
                reason = "\(resolver) answers \(ResponseCode.name(answer.code))"
            } catch let failure as LdnsCalls.NoAnswer {
                reason = "\(resolver): \(failure.reason)"
            }
        }
        throw DNSFailure(kind: .unavailable, reason: "\(type) of \(name) cannot be resolved: \(reason)")
    }
}
