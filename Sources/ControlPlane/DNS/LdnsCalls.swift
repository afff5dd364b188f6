import CLdns
import Domain
import NIOPosix

/// What ldns is asked for, each call on a thread that may wait. The home of the word `unsafe` in the control plane: text goes in and comes out.
enum LdnsCalls {
    /// Calls block for seconds when servers are silent; so many zones and authoritative servers are asked at a time.
    private static let threads = 16
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        return pool
    }()

    private static let longestReason = 500
    /// More than any answer about one name and type.
    private static let longestAnswer = 16 << 10

    struct Key: Sendable {
        let name: String
        let algorithm: UpdateAlgorithm
        /// In base 64.
        let secret: String
    }

    /// What was answered instead of an RCODE, and why.
    struct NoAnswer: Error, Sendable {
        enum Kind: Sendable { case notSent, noAnswer, badSignature, malformed }

        let kind: Kind
        let reason: String
    }

    /// The RCODE of an answer, and what else it said.
    struct Answer: Sendable {
        let code: Int
        var isAuthoritative = false
        /// TTL and value of each record.
        var records: [(timeToLive: Int, value: String)] = []
    }

    /// Sends an update whose records are `lines`, in the form that CLdns.h has.
    static func update(
        _ server: TransportAddress, zone: DomainName, key: Key, lines: [String], timeout: Duration
    ) async throws -> Answer {
        let text = lines.joined(separator: "\n")
        let milliseconds = Int32(clamping: Int64(timeout.milliseconds))
        return try await pool.runIfActive {
            var reason = [CChar](repeating: 0, count: longestReason)
            let code = unsafe key.name.withCString { name in
                unsafe (key.algorithm.rawValue + ".").withCString { algorithm in
                    unsafe key.secret.withCString { secret in
                        var key = unsafe ddirect_dns_key(name: name, algorithm: algorithm, secret: secret)
                        return unsafe ddirect_dns_update(
                            server.address.description, server.port, zone.text + ".", &key, text, milliseconds, &reason,
                            longestReason)
                    }
                }
            }
            return Answer(code: try checked(code, reason))
        }
    }

    /// Asks one server about a name and type.
    static func query(
        _ server: TransportAddress, _ name: String, _ type: String, isRecursive: Bool = false, overTCP: Bool,
        timeout: Duration
    ) async throws -> Answer {
        let milliseconds = Int32(clamping: Int64(timeout.milliseconds))
        return try await pool.runIfActive {
            var reason = [CChar](repeating: 0, count: longestReason)
            var records = [CChar](repeating: 0, count: longestAnswer)
            var isAuthoritative: Int32 = 0
            let code = unsafe ddirect_dns_query(
                server.address.description, server.port, name + ".", type, isRecursive ? 1 : 0, overTCP ? 1 : 0,
                milliseconds, &records, longestAnswer, &isAuthoritative, &reason, longestReason)
            var answer = Answer(code: try checked(code, reason), isAuthoritative: isAuthoritative != 0)
            for line in LdnsCalls.text(records).split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1)
                guard parts.count == 2, let timeToLive = Int(parts[0]) else { continue }
                answer.records.append((timeToLive, String(parts[1])))
            }
            return answer
        }
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func checked(_ code: Int32, _ reason: [CChar]) throws -> Int {
        guard code < 0 else { return Int(code) }
        let kind: NoAnswer.Kind =
            switch Int(code) {
            case Int(DDIRECT_DNS_NOT_SENT): .notSent
            case Int(DDIRECT_DNS_NO_ANSWER): .noAnswer
            case Int(DDIRECT_DNS_BAD_SIGNATURE): .badSignature
            default: .malformed
            }
        throw NoAnswer(kind: kind, reason: text(reason))
    }
}

/// RCODEs (RFC 1035 section 4.1.1, RFC 2136 section 2.2) by their names.
enum ResponseCode {
    static let noError = 0
    static let serverFailure = 2
    static let nameError = 3
    static let nameExists = 6
    static let setExists = 7
    static let setMissing = 8

    static func name(_ code: Int) -> String {
        let names = [
            "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
            "NOTAUTH", "NOTZONE",
        ]
        return names.indices.contains(code) ? names[code] : "RCODE \(code)"
    }
}
