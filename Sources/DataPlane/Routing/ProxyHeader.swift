public import Domain

/// The PROXY protocol header with which a trusted sender tells whose connection it hands on: HAProxy's
/// `proxy-protocol.txt`.
///
///     version 1:  PROXY TCP4 192.0.2.1 198.51.100.1 50000 443 CR LF
///     version 2:  signature(12)  version and command(1)  family and protocol(1)  length(2)  addresses  TLVs
public struct ProxyHeader: Hashable, Sendable {
    /// The bytes of the header; the connection's own begin after them.
    public let length: Int
    /// Who connected to the sender, and where; nil when the sender speaks for itself (`LOCAL`, a health check) or does
    /// not say.
    public let source: TransportAddress?
    public let destination: TransportAddress?

    public enum Outcome: Hashable, Sendable {
        case incomplete
        case header(ProxyHeader)
        case malformed
    }

    /// Everything after the first 16 bytes of version 2. Senders put certificates' names and identifiers there, never
    /// so much.
    public static let longestBlock = 4096
    public static let longest = 16 + longestBlock

    /// Looks for a whole header at the beginning of `bytes`. An outcome other than `.incomplete` is final.
    public static func inspect(_ bytes: Span<UInt8>) -> Outcome {
        guard !bytes.isEmpty else { return .incomplete }
        return bytes[0] == UInt8(ascii: "P") ? ProxyHeaderV1.inspect(bytes) : ProxyHeaderV2.inspect(bytes)
    }

    /// The longest header that `write` makes: version 1 with two full IPv6 addresses and ports.
    public static let longestWritten = 104

    /// Writes the header that an endpoint is told `source` and `destination` with.
    ///
    /// An IPv4 address beside an IPv6 one is written in its mapped form, so that neither is lost; version 1 would
    /// otherwise have to say `UNKNOWN`. The count, 0 when `version` is `.off`; nil when it does not fit.
    public static func write(
        _ version: SendProxyProtocol, source: TransportAddress, destination: TransportAddress,
        into output: inout MutableSpan<UInt8>
    ) -> Int? {
        switch version {
        case .off: 0
        case .v1: ProxyHeaderV1.write(source: source, destination: destination, into: &output)
        case .v2: ProxyHeaderV2.write(source: source, destination: destination, into: &output)
        }
    }
}

extension TransportAddress {
    /// Whether this end and the other can be written in IPv4.
    func sharesIPv4(with other: TransportAddress) -> Bool { address.family == .ipv4 && other.address.family == .ipv4 }
}
