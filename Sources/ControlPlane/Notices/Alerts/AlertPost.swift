import FoundationEssentials
import Outgoing

/// One attempt to send an alert to a webhook.
struct AlertPost: Sendable {
    enum Outcome: Sendable, Equatable {
        /// It was answered by a status of 2xx.
        case delivered
        case failed(String)
    }

    let http: OutgoingHTTP
    /// For the whole of the attempt.
    let timeout: Duration

    /// Of an answer's body, in octets; what is beyond is not read. Receivers explain themselves in less.
    static let longestAnswer = 4096
    /// Of a reason, in Unicode scalars.
    private static let longestReason = 300

    /// What alerts are sent by. They come in twos and threes: much later, a kept connection is likelier dead than of
    /// use.
    static func client() -> OutgoingHTTP { OutgoingHTTP(connectTimeout: .seconds(5), idle: .seconds(5)) }

    func send(_ delivery: AlertDelivery, key: String, at date: Date) async -> Outcome {
        var request = OutgoingRequest("POST", delivery.url, body: Array(delivery.alert.body.utf8))
        request.add("Content-Type", "application/json")
        request.add("User-Agent", "ddirect-control")
        request.add("DDirect-Alert-Id", String(delivery.alert.id))
        request.add(AlertSignature.header, AlertSignature.value(of: delivery.alert.body, at: date, key: key))
        do {
            let answer = try await http.send(
                request, within: timeout, reading: .beginning(upTo: AlertPost.longestAnswer))
            if (200..<300).contains(answer.status) { return .delivered }
            let explanation = answer.body.isEmpty ? "" : ": \(String(decoding: answer.body, as: UTF8.self))"
            return .failed(AlertPost.bounded("it answered \(answer.status)\(explanation)"))
        } catch let failure as NoAnswer {
            return .failed(AlertPost.bounded(reason(failure)))
        } catch {
            return .failed(AlertPost.bounded("\(error)"))
        }
    }

    private func reason(_ failure: NoAnswer) -> String {
        switch failure {
        case .notInTime: "no answer in \(timeout)"
        case .notConnectedInTime: "it cannot be connected to in time"
        case .closed: "it closed the connection before its answer"
        case .notConnected(nil): "its name cannot be resolved"
        case .notConnected(let cause?): "it cannot be connected to: \(cause)"
        case .tooLong(let longest): "it answered more than \(longest) octets"
        case .failed(let reason): reason
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
