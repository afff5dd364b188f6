import Outgoing

/// Calls to providers by HTTP, each within one time for everything: from the connection to the last octet of the
/// answer.
struct ProviderHTTP: Sendable {
    let http: OutgoingHTTP
    var limit = Duration.seconds(5)

    /// Of an answer, in octets. A whole zone of 100,000 names stays below it; no more is read.
    private static let longestAnswer = 32 << 20

    /// `isChange`: whether something may have been done even though there is no answer. `end` is that of everything it
    /// is a part of.
    func send(
        _ request: OutgoingRequest, isChange: Bool = false, until end: ContinuousClock.Instant? = nil
    ) async throws -> OutgoingAnswer {
        let now = ContinuousClock.now
        let end = min(now + limit, end ?? now + limit)
        guard now < end else {
            throw DNSFailure(
                kind: .unreachable,
                reason: "\(ProviderHTTP.place(of: request.url)) takes too long for all that there is to ask")
        }
        do {
            return try await http.send(
                request, within: end - now, reading: .whole(upTo: ProviderHTTP.longestAnswer))
        } catch let failure as NoAnswer {
            throw DNSFailure(
                kind: .unreachable, reason: "\(ProviderHTTP.place(of: request.url)) \(ProviderHTTP.words(failure))",
                mayHaveHappened: isChange && failure.wasSent)
        }
    }

    private static func words(_ failure: NoAnswer) -> String {
        switch failure {
        case .notInTime: "does not answer in time"
        case .notConnectedInTime: "cannot be connected to in time"
        case .closed: "closed the connection before its answer"
        case .notConnected(nil): "cannot be connected to: its name cannot be resolved"
        case .notConnected(let cause?): "cannot be connected to: \(cause)"
        case .tooLong(let longest): "answers more than \(longest) octets"
        case .failed(let reason): "does not answer: \(reason)"
        }
    }

    /// Scheme, host and port: what an operator needs to know of an address.
    private static func place(of url: String) -> String {
        url.split(separator: "/", omittingEmptySubsequences: false).prefix(3).joined(separator: "/")
    }
}

extension String {
    /// With every octet escaped that is not unreserved (RFC 3986 section 2.3): for one segment of a path, or for a
    /// value in a query.
    var percentEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for octet in utf8 {
            switch octet {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(octet)
            default: encoded += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 0xF)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// On one line and not too long, as it goes into logs and the audit trail.
    var asOneLine: String {
        String(
            unicodeScalars.prefix(300).map { $0.properties.generalCategory == .control ? " " : Character($0) })
    }
}
