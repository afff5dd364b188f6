import AsyncHTTPClient
import NIOCore
import NIOPosix

/// Calls servers of others by HTTP, each within one time for everything: from the connection to the last octet.
///
/// It goes where it is sent and nowhere else (no redirect is followed), and calls once: whoever asks knows whether it
/// makes sense to ask again.
package final class OutgoingHTTP: Sendable {
    /// How much of an answer's body is wanted.
    package enum Reading: Sendable {
        /// All of it; an answer with more than so many octets is none.
        case whole(upTo: Int)
        /// As much as comes in time, and so many octets at most: the status says enough.
        case beginning(upTo: Int)
    }

    private let client: HTTPClient

    /// `idle` is for how long a connection is kept for the next request; nil for as long as the client thinks fit.
    package init(connectTimeout: Duration, readTimeout: Duration? = nil, idle: Duration? = nil) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(connectTimeout), read: readTimeout.map { TimeAmount($0) }))
        configuration.connectionPool.retryConnectionEstablishment = false
        if let idle { configuration.connectionPool.idleTimeout = TimeAmount(idle) }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Lets go of the connections. To be called once, when nothing is sent any more.
    package func shutDown() async throws { try await client.shutdown() }

    /// The answer, or a ``NoAnswer``, or a `CancellationError`.
    package func send(
        _ request: OutgoingRequest, within time: Duration, reading: Reading
    ) async throws -> OutgoingAnswer {
        do {
            switch reading {
            case .whole(let longest): return try await whole(request, within: time, upTo: longest)
            case .beginning(let longest): return try await beginning(request, within: time, upTo: longest)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw NoAnswer(error, reading)
        }
    }

    private func whole(
        _ request: OutgoingRequest, within time: Duration, upTo longest: Int
    ) async throws -> OutgoingAnswer {
        let end = ContinuousClock.now + time
        // The client's own deadline ends with the head.
        return try await withThrowingTaskGroup(of: OutgoingAnswer.self) { group in
            group.addTask {
                let response = try await self.execute(request, within: time)
                let body = try await response.body.collect(upTo: longest)
                return OutgoingAnswer(status: Int(response.status.code), body: Array(body.readableBytesView))
            }
            group.addTask {
                try await Task.sleep(until: end)
                throw HTTPClientError.deadlineExceeded
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw HTTPClientError.cancelled }
            return answer
        }
    }

    private func beginning(
        _ request: OutgoingRequest, within time: Duration, upTo longest: Int
    ) async throws -> OutgoingAnswer {
        let end = ContinuousClock.now + time
        let response = try await execute(request, within: time)
        let body = await withTaskGroup(of: [UInt8].self) { group in
            group.addTask {
                var octets: [UInt8] = []
                do {
                    for try await piece in response.body {
                        octets += piece.readableBytesView.prefix(longest - octets.count)
                        if octets.count == longest { break }
                    }
                } catch {
                    // The status has come, and says enough.
                }
                return octets
            }
            group.addTask {
                try? await Task.sleep(until: end)
                return []
            }
            let octets = await group.next() ?? []
            group.cancelAll()
            return octets
        }
        return OutgoingAnswer(status: Int(response.status.code), body: body)
    }

    private func execute(_ request: OutgoingRequest, within time: Duration) async throws -> HTTPClientResponse {
        var message = HTTPClientRequest(url: request.url)
        message.method = .init(rawValue: request.method)
        for (name, value) in request.fields { message.headers.add(name: name, value: value) }
        if !request.body.isEmpty { message.body = .bytes(ByteBuffer(bytes: request.body)) }
        return try await client.execute(message, deadline: .now() + TimeAmount(time))
    }
}

extension NoAnswer {
    fileprivate init(_ error: any Error, _ reading: OutgoingHTTP.Reading) {
        switch error {
        case let error as HTTPClientError where [.deadlineExceeded, .readTimeout].contains(error): self = .notInTime
        case let error as HTTPClientError where error == .connectTimeout: self = .notConnectedInTime
        case let error as HTTPClientError where error == .remoteConnectionClosed: self = .closed
        case let error as NIOConnectionError: self = .notConnected(error.connectionErrors.first.map { "\($0.error)" })
        case is NIOTooManyBytesError:
            switch reading {
            case .whole(let longest), .beginning(let longest): self = .tooLong(longest)
            }
        default: self = .failed("\(error)")
        }
    }
}
