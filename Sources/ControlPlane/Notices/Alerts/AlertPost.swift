import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOPosix

/// One attempt to send an alert to a webhook.
struct AlertPost: Sendable {
    enum Outcome: Sendable, Equatable {
        /// It was answered by a status of 2xx.
        case delivered
        case failed(String)
    }

    let http: HTTPClient
    /// For the whole of the attempt.
    let timeout: Duration

    /// Of an answer's body, in octets; what is beyond is not read. Receivers explain themselves in less.
    static let longestAnswer = 4096
    /// Of a reason, in Unicode scalars.
    private static let longestReason = 300

    /// What the client has to be like: it goes where it was sent, and nowhere else.
    static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)))
        // We have our own way of trying again.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Alerts come in twos and threes. Much later, a kept connection is likelier dead than of use.
        configuration.connectionPool.idleTimeout = .seconds(5)
        return configuration
    }

    func send(_ delivery: AlertDelivery, key: String, at date: Date) async -> Outcome {
        let end = ContinuousClock.now + timeout
        var request = HTTPClientRequest(url: delivery.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "ddirect-control")
        request.headers.add(name: "DDirect-Alert-Id", value: String(delivery.alert.id))
        request.headers.add(
            name: AlertSignature.header, value: AlertSignature.value(of: delivery.alert.body, at: date, key: key))
        request.body = .bytes(ByteBuffer(string: delivery.alert.body))
        do {
            let response = try await http.execute(request, deadline: .now() + TimeAmount(timeout))
            let answer = await AlertPost.beginning(of: response.body, until: end)
            if (200..<300).contains(response.status.code) { return .delivered }
            let explanation = answer.isEmpty ? "" : ": \(answer)"
            return .failed(AlertPost.bounded("it answered \(response.status.code)\(explanation)"))
        } catch {
            return .failed(AlertPost.bounded(reason(error)))
        }
    }

    /// The first octets of a body, as far as they come in time.
    private static func beginning(of body: HTTPClientResponse.Body, until end: ContinuousClock.Instant) async -> String
    {
        await withTaskGroup(of: String.self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                do {
                    for try await piece in body {
                        bytes += piece.readableBytesView.prefix(longestAnswer - bytes.count)
                        if bytes.count == longestAnswer { break }
                    }
                } catch {
                    // The status has come, and says enough.
                }
                return String(decoding: bytes, as: UTF8.self)
            }
            group.addTask {
                try? await Task.sleep(until: end)
                return ""
            }
            let text = await group.next() ?? ""
            group.cancelAll()
            return text
        }
    }

    private func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where [.deadlineExceeded, .readTimeout].contains(error):
            return "no answer in \(timeout)"
        case let error as HTTPClientError where error == .connectTimeout: return "it cannot be connected to in time"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            return "it closed the connection before its answer"
        case let error as NIOConnectionError:
            guard let cause = error.connectionErrors.first?.error else { return "its name cannot be resolved" }
            return "it cannot be connected to: \(cause)"
        default: return "\(error)"
        }
    }

    /// On one line, as it goes into logs and the audit trail.
    private static func bounded(_ text: String) -> String {
        let line = text.unicodeScalars.prefix(longestReason).map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(line)
    }
}
