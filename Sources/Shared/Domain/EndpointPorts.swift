/// Ports side by side: `8000-8100`, or one.
public struct PortRange: Hashable, Sendable, CustomStringConvertible {
    public let first: Port
    public let last: Port

    /// Reads `PORT` or `FIRST-LAST`.
    public init(_ text: String) throws(InvalidValue) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil }
        guard numbers.count == parts.count, let first = numbers.first, let last = numbers.last, first <= last else {
            throw InvalidValue(text, "is neither a port nor a range of ports", expected: "such as 25 or 8000-8100")
        }
        self.first = try Port(first)
        self.last = try Port(last)
    }

    public func contains(_ port: Port) -> Bool { (first.number...last.number).contains(port.number) }

    public var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}

/// Which ports an endpoint may have.
///
/// Customers choose endpoints, and connections to them begin with bytes that a device chose. The services that take
/// such bytes for a protocol of their own (mail, names, shells) are at ports below 1024, where only a machine's owner
/// can listen, so these are for the operator to open.
///
/// A rule for whoever configures: a port comes from the configuration and from nowhere else (an address may come from a
/// name server, at any time), so there is nothing to ask when it is dialled. A service that had its port before there
/// was this rule keeps it.
public struct EndpointPorts: Hashable, Sendable {
    /// Beyond the standard ones, as the operator says.
    public let allowed: [PortRange]

    public init(allowed: [PortRange] = []) { self.allowed = allowed }

    /// Those of the web, and all that an ordinary user can listen on (8080 and 8443 among them).
    public static let standard = "80, 443, or 1024 and above"

    public func allows(_ port: Port) -> Bool {
        port == .http || port == .https || port.number >= 1024 || allowed.contains { $0.contains(port) }
    }
}
