/// A request to a server of somebody else: a provider's API, a receiver of alerts.
package struct OutgoingRequest: Sendable {
    package var method: String
    package let url: String
    package private(set) var fields: [(name: String, value: String)] = []
    /// Empty for none.
    package var body: [UInt8]

    package init(_ method: String, _ url: String, body: [UInt8] = []) {
        self.method = method
        self.url = url
        self.body = body
    }

    package mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }
}

package struct OutgoingAnswer: Sendable {
    package let status: Int
    package let body: [UInt8]
}

/// Why there is no answer.
package enum NoAnswer: Error, Sendable {
    case notConnectedInTime
    /// Why; nil when the name has no address.
    case notConnected(String?)
    case notInTime
    case closed
    /// The body is longer than so many octets.
    case tooLong(Int)
    case failed(String)

    /// Whether the request may have arrived.
    package var wasSent: Bool {
        switch self {
        case .notConnectedInTime, .notConnected: false
        case .notInTime, .closed, .tooLong, .failed: true
        }
    }
}
