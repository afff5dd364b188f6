import Domain
import Fleet
import Hummingbird
import HummingbirdCore
import JSON
import NIOCore
import Store

/// A request, as far as it is understood before its operation is asked: who sends it, which resource, which parameters.
struct APIRequest: Sendable {
    let author: String
    /// The variable parts of the path, by the names that they have in its template.
    let variables: [String: String]
    let query: [String: String]
    let headers: HTTPFields
    let path: String
    let connection: any Channel
    private let body: RequestBody

    /// Ten times the largest service that the rules allow.
    static let largestBody = 1 << 20

    init(
        _ request: Request, on connection: any Channel, author: String, variables: [String: String],
        query: [String: String]
    ) {
        self.connection = connection
        self.author = author
        self.variables = variables
        self.query = query
        headers = request.headers
        path = request.uri.path
        body = request.body
    }

    /// The connection failed while the body was read; there is nobody to answer.
    struct BodyFailure: Error {
        let cause: any Error
    }

    /// The body as JSON, and as it was sent. Nil when there is none and none is needed.
    func json(types: [String], required: Bool = true) async throws -> (value: JSONValue, octets: [UInt8])? {
        let octets = try await octets()
        if octets.isEmpty, !required { return nil }
        try checkType(types)
        do {
            return (try JSONValue.parse(octets), octets)
        } catch {
            throw Problem(.invalidJSON, "The body is no JSON: \(error). Expected a JSON object (RFC 8259).")
        }
    }

    private func octets() async throws -> [UInt8] {
        let limit = APIRequest.largestBody
        let tooLarge = Problem(.tooLarge, "The body is too large; expected at most \(limit) octets.")
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        do {
            return Array(buffer: try await body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch {
            throw BodyFailure(cause: error)
        }
    }

    private func checkType(_ types: [String]) throws(Problem) {
        let sent = headers[.contentType] ?? ""
        let parts = sent.lowercased().split(separator: ";").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        let parametersAreRight = parts.dropFirst().allSatisfy { $0 == "charset=utf-8" || $0 == "charset=\"utf-8\"" }
        guard let type = parts.first, types.contains(type), parametersAreRight else {
            throw Problem(
                .unsupportedMediaType,
                "The Content-Type is '\(sent.prefix(100))'; expected \(types.joined(separator: " or ")), in UTF-8.")
        }
    }

    /// Does `work`, for which the body is not needed, and calls `onClose` when the sender closes the connection in the
    /// meantime.
    func whileConnected(
        _ work: () async throws -> Void, onClose: @escaping @Sendable () -> Void
    ) async throws {
        try await body.consumeWithInboundCloseHandler { _ in
            try await work()
        } onInboundClosed: {
            onClose()
        }
    }

    /// The variable part of the path with this name.
    func variable(_ name: String) -> String { variables[name] ?? "" }

    /// The server that the path names.
    func server(in store: Store) throws(Problem) -> ServerName {
        let text = variable("name")
        guard let name = store.state.servers[ServerName(checked: text)]?.name else {
            throw Problem(.noSuch(.server, text))
        }
        return name
    }

    /// What a query parameter says, if it is there.
    func filter<Value>(
        _ parameter: String, _ make: (String) throws(InvalidValue) -> Value
    ) throws(Problem) -> Value? {
        guard let text = query[parameter] else { return nil }
        do {
            return try make(text)
        } catch {
            throw Problem(.invalidParameter, "\(parameter): \(error).")
        }
    }
}

/// What stands after the question mark.
enum Query {
    /// Reads a query whose parameters may only be `known`, each once.
    static func read(_ text: String?, known: Set<String>) throws(Problem) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in (text ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = percentDecoded(parts[0]), let value = percentDecoded(parts.count == 2 ? parts[1] : "")
            else {
                throw Problem(
                    .invalidParameter, "The query has '\(pair.prefix(80))', which is not percent-encoded UTF-8.")
            }
            guard known.contains(name) else {
                let expected =
                    known.isEmpty
                    ? "no parameters here" : "only " + known.sorted().map { "'\($0)'" }.joined(separator: ", ")
                throw Problem(
                    .invalidParameter, "'\(name.prefix(80))' is an unknown query parameter; expected \(expected).")
            }
            guard parameters.updateValue(value, forKey: name) == nil else {
                throw Problem(.invalidParameter, "The query parameter '\(name)' stands twice; expected it once.")
            }
        }
        return parameters
    }

    /// Nil when an escape is broken, or what comes out is no UTF-8, or has a NUL, at which some would end it.
    static func percentDecoded(_ text: some StringProtocol) -> String? {
        var octets: [UInt8] = []
        var rest = text.utf8[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                octets.append(octet)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                return nil
            }
            guard high | low != 0 else { return nil }
            octets.append(high << 4 | low)
        }
        return String(validating: octets, as: UTF8.self)
    }

    private static func hexDigit(_ octet: UInt8) -> UInt8? {
        Character(Unicode.Scalar(octet)).hexDigitValue.map { UInt8($0) }
    }
}
