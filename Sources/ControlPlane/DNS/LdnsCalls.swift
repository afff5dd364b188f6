import CLdns
import Domain

/// A key that updates are signed with (RFC 8945).
struct TSIGKey: Sendable {
    let name: String
    let algorithm: UpdateAlgorithm
    /// In base 64, as key files have it.
    let secret: String
}

/// DNS messages as ldns makes and reads them. It is C, so this is where the control plane says `unsafe`; nothing that
/// is handed over outlives a call, every length is checked on both sides, and nothing waits: sockets and deadlines are
/// NIO's (`DNSTransport`).
enum LdnsCalls {
    /// Why there is no message, in ldns's words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// In octets: what the length of a message over TCP can say.
    private static let longestMessage = 65_535
    /// In octets: a message of records of the types that we ask for is never so long as text.
    private static let longestText = 512 << 10

    static func query(
        _ id: UInt16, _ name: String, _ type: String, isRecursive: Bool = false, key: TSIGKey? = nil
    ) throws(Failure) -> [UInt8] {
        var message = [UInt8](repeating: 0, count: longestMessage)
        let count = unsafe cldns_query(
            id, name, type, isRecursive ? 1 : 0, key?.name, key?.algorithm.rawValue, key?.secret, &message,
            longestMessage)
        return try written(message, count)
    }

    /// Prerequisites and changes are lines as `UpdateMessage` has them.
    static func update(
        _ id: UInt16, zone: DomainName, prerequisites: [String], changes: [String], key: TSIGKey
    ) throws(Failure) -> [UInt8] {
        var message = [UInt8](repeating: 0, count: longestMessage)
        let count = unsafe cldns_update(
            id, zone.text, prerequisites.joined(separator: "\n"), changes.joined(separator: "\n"), key.name,
            key.algorithm.rawValue, key.secret, &message, longestMessage)
        return try written(message, count)
    }

    /// What an answer says; one to another request is a failure.
    static func read(_ answer: [UInt8], to request: [UInt8], key: TSIGKey? = nil) throws(Failure) -> DNSAnswer {
        var text = [UInt8](repeating: 0, count: longestText)
        let count = unsafe cldns_read(
            answer, answer.count, request, request.count, key?.name, key?.secret, &text, longestText)
        let said = String(decoding: try written(text, count), as: UTF8.self)
        guard let answer = DNSAnswer(said) else { throw Failure(description: "the answer cannot be understood") }
        return answer
    }

    private static func written(_ buffer: [UInt8], _ count: Int) throws(Failure) -> [UInt8] {
        guard count >= 0 else { throw Failure(description: unsafe String(cString: cldns_problem(count))) }
        return Array(buffer.prefix(count))
    }
}
