import AsyncHTTPClient
import NIOCore
import NIOPosix

/// Calls to providers by HTTP, each within one time for everything: from the connection to the last octet of the answer.
struct ProviderHTTP: Sendable {
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    let client: HTTPClient
    var limit = Duration.seconds(5)

    /// Of an answer, in octets. A whole zone of 100,000 names stays below it; no more is read.
    private static let longestAnswer = 32 << 20

    /// `isChange`: whether something may have been done even though there is no answer. `end` is that of everything it is a part of.
    func send(
        _ request: HTTPClientRequest, isChange: Bool = false, until end: ContinuousClock.Instant? = nil
    ) async throws -> Answer {
        let now = ContinuousClock.now
        let end = min(now + limit, end ?? now + limit)
        guard now < end else {
            throw DNSFailure(
                kind: .unreachable,
                reason: "\(ProviderHTTP.place(of: request.url)) takes too long for all that there is to ask")
        }
        do {
            return try await withThrowingTaskGroup(of: Answer.self) { group in
                group.addTask { try await receive(request, within: end - now) }
                group.addTask {
                    try await Task.sleep(until: end)
                    throw HTTPClientError.deadlineExceeded
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw HTTPClientError.cancelled }
                return answer
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            let (reason, wasSent) = meaning(of: error)
            throw DNSFailure(
                kind: .unreachable, reason: "\(ProviderHTTP.place(of: request.url)) \(reason)",
                mayHaveHappened: isChange && wasSent)
        }
    }

    private func receive(_ request: HTTPClientRequest, within time: Duration) async throws -> Answer {
        let response = try await client.execute(request, deadline: .now() + TimeAmount(time))
        let body = try await response.body.collect(upTo: ProviderHTTP.longestAnswer)
        return Answer(status: Int(response.status.code), body: Array(body.readableBytesView))
    }

    /// What went wrong, and whether the request may have arrived.
    private func meaning(of error: any Error) -> (reason: String, wasSent: Bool) {
        switch error {
        case let error as HTTPClientError where [.deadlineExceeded, .readTimeout].contains(error):
            ("does not answer in time", true)
        case let error as HTTPClientError where error == .connectTimeout: ("cannot be connected to in time", false)
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            ("closed the connection before its answer", true)
        case let error as NIOConnectionError:
            (
                error.connectionErrors.first.map { "cannot be connected to: \($0.error)" }
                    ?? "cannot be connected to: its name cannot be resolved", false
            )
        case is NIOTooManyBytesError: ("answers more than \(ProviderHTTP.longestAnswer) octets", true)
        default: ("does not answer: \(error)", true)
        }
    }

    /// Scheme, host and port: what an operator needs to know of an address.
    private static func place(of url: String) -> String {
        url.split(separator: "/", omittingEmptySubsequences: false).prefix(3).joined(separator: "/")
    }
}

extension String {
    /// With every octet escaped that is not unreserved (RFC 3986 section 2.3): for one segment of a path, or for a value in a query.
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
