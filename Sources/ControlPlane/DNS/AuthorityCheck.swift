package import Domain
import FoundationEssentials

/// A server that answers for a zone: where it is, and what it is called if its zone calls it anything.
package struct AuthoritativeServer: Hashable, Sendable, CustomStringConvertible {
    let address: TransportAddress
    var name: String?

    package var description: String { name.map { "\($0) (\(address))" } ?? "\(address)" }
}

/// What a server says of one name.
package enum AuthorityAnswer: Hashable, Sendable, CustomStringConvertible {
    /// Its record sets of the type that was asked for, or the CNAME that stands in their place; none when the name has
    /// none.
    case records([RecordSet])
    /// Why there is no answer.
    case failure(String)

    package var description: String {
        switch self {
        case .records(let sets) where sets.isEmpty: "no records"
        case .records(let sets):
            sets.map { "\($0.type.rawValue) \($0.values.joined(separator: " "))" }.joined(separator: ", ")
        case .failure(let reason): reason
        }
    }
}

/// Asks the authoritative servers of a zone what they answer: a change is in force when all of them do.
package struct AuthorityCheck: Sendable {
    /// Of one try.
    private let limit: Duration
    private let transport: DNSTransport
    /// Where the addresses of servers are asked for, when a zone does not name any.
    private let resolvers: @Sendable () -> [TransportAddress]

    /// With the resolvers of the system.
    package init() { self.init(limit: .seconds(1)) }

    init(
        limit: Duration, transport: DNSTransport = DNSTransport(),
        resolvers: @escaping @Sendable () -> [TransportAddress] = { ResolverSettings.system().servers }
    ) {
        self.limit = limit
        self.transport = transport
        self.resolvers = resolvers
    }

    /// Tries over UDP, and one over TCP then: a network that loses datagrams, or refuses them, is no server that is
    /// away.
    private static let tries = 2
    /// Zones have 2 to 8 servers; more than 16 are not asked (`Zone.mostAuthorities`).
    private static let mostServers = Zone.mostAuthorities

    /// All authoritative servers: those that the zone names in its settings, else those of its NS records.
    package func servers(of zone: Zone) async throws -> [AuthoritativeServer] {
        guard zone.authorities.isEmpty else { return zone.authorities.map { AuthoritativeServer(address: $0) } }
        let resolvers = resolvers()
        let names = try await resolve(zone.name.text, "NS", resolvers).filter { $0.type == "NS" }
            .map { $0.value.withoutFinalDot }.sorted().prefix(AuthorityCheck.mostServers)
        let found = await withTaskGroup(of: [AuthoritativeServer].self) { group in
            for name in names {
                for type in ["A", "AAAA"] {
                    group.addTask {
                        // A server whose address is not found cannot be asked; the others can.
                        let records = (try? await resolve(name, type, resolvers)) ?? []
                        return records.filter { $0.type == type }.compactMap { record in
                            guard let address = try? Address(record.value) else { return nil }
                            return AuthoritativeServer(address: TransportAddress(address, port: 53), name: name)
                        }
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        guard !found.isEmpty else {
            throw DNSFailure(
                kind: .unavailable,
                reason:
                    "no authoritative server of zone \(zone.name) is found by its NS records; expected some, or their addresses in "
                    + "the zone's authorities")
        }
        let sorted = Set(found).sorted { ($0.name ?? "", $0.address.address) < ($1.name ?? "", $1.address.address) }
        return Array(sorted.prefix(AuthorityCheck.mostServers))
    }

    /// What one server says, without asking anybody else. It takes three times the limit at most.
    package func ask(_ server: AuthoritativeServer, name: DomainName, _ type: RecordType) async -> AuthorityAnswer {
        do {
            let answer = try await exchange(with: server.address, name.text, type.rawValue, isRecursive: false)
            switch answer.code {
            case .noError where !answer.isAuthoritative, .noName where !answer.isAuthoritative:
                return .failure("it is not authoritative for \(name)")
            case .noError, .noName: return .records(answer.sets(of: name))
            default: return .failure("it answers \(answer.code)")
            }
        } catch let failure as DNSTransport.Failure {
            return .failure(failure.reason)
        } catch {
            return .failure("its answer cannot be read: \(error)")
        }
    }

    // MARK: -

    private func resolve(_ name: String, _ type: String, _ resolvers: [TransportAddress]) async throws -> [DNSRecord] {
        var reasons: [String] = []
        for resolver in resolvers {
            do {
                let answer = try await exchange(with: resolver, name, type, isRecursive: true)
                if [.noError, .noName].contains(answer.code) { return answer.records }
                reasons.append("\(resolver) answers \(answer.code)")
            } catch let failure as DNSTransport.Failure {
                reasons.append(failure.reason)
            } catch let failure as LdnsCalls.Failure {
                reasons.append("\(resolver): \(failure)")
            }
        }
        throw DNSFailure(
            kind: .unavailable,
            reason: "the \(type) records of \(name) cannot be asked for: \(reasons.joined(separator: "; "))")
    }

    /// The address is the first argument on purpose: the 128 bits of an IPv6 address that an asynchronous function
    /// finds on its stack, for want of registers, are miscompiled (Swift 6.3.1 on x86-64), and the function returns to
    /// nowhere.
    private func exchange(
        with server: TransportAddress, _ name: String, _ type: String, isRecursive: Bool
    ) async throws -> DNSAnswer {
        let query = try LdnsCalls.query(.random(in: .min ... .max), name, type, isRecursive: isRecursive)
        for _ in 0..<AuthorityCheck.tries {
            do {
                let octets = try await transport.exchange([query], with: server, over: .udp, within: limit)
                let answer = try LdnsCalls.read(octets.first ?? [], to: query)
                if !answer.isTruncated { return answer }
                break
            } catch is DNSTransport.Failure {
                continue
            }
        }
        let octets = try await transport.exchange([query], with: server, over: .tcp, within: limit)
        return try LdnsCalls.read(octets.first ?? [], to: query)
    }
}

/// The resolvers of this machine, as resolv.conf(5) names them.
struct ResolverSettings: Hashable, Sendable {
    let servers: [TransportAddress]

    /// MAXNS of resolv.h: the C library reads no more.
    private static let mostServers = 3

    init(_ text: String) {
        var servers: [TransportAddress] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, words[0] == "nameserver", servers.count < ResolverSettings.mostServers,
                // One with an interface (fe80::1%eth0) is none that we can connect to.
                let address = try? Address(String(words[1]))
            else { continue }
            servers.append(TransportAddress(address, port: 53))
        }
        // Without any, the C library asks this machine.
        self.servers = servers.isEmpty ? [TransportAddress(Address(ipv4: 0x7F00_0001), port: 53)] : servers
    }

    /// Read anew each time: a machine may be given others while we run.
    static func system() -> ResolverSettings {
        ResolverSettings((try? String(contentsOf: URL(filePath: "/etc/resolv.conf"), encoding: .utf8)) ?? "")
    }
}
