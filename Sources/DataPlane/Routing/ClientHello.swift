/// What a TLS client says first, as far as it decides where the connection goes: RFC 8446 section 4.1.2, RFC 6066 section 3.
///
/// Nothing is decrypted or changed. A hello may be split over any number of records (RFC 8446 section 5.1), and hellos with
/// post-quantum key shares do not fit into one packet. Of an encrypted hello (ECH) the outer name is the one that counts.
public enum ClientHello {
    /// 64 KiB of handshake message: forty times the hello of a browser that offers a post-quantum key share.
    public static let longest = 65_536

    /// What the records of a hello may take on the wire: its 64 KiB, and the headers of some eight hundred records.
    public static let longestOnWire = longest + 4096

    public enum Outcome: Hashable, Sendable {
        /// It is not worth looking again before `until` bytes are there, which is more than there are now.
        case incomplete(until: Int)
        /// A whole hello, in records of `length` bytes. The name is empty when the client names no host.
        case hello(length: Int)
        case refused(Refusal)
    }

    public enum Refusal: Hashable, Sendable {
        /// Not a TLS handshake: plain HTTP on the wrong port, another protocol, noise.
        case notTLS
        /// SSL 2.0 or 3.0, which have no way to name a host and are no longer spoken (RFC 7568).
        case tooOld
        case tooLong
        /// A server name that is no host name.
        case badServerName
        case malformed(Fault)
    }

    /// What is wrong with a hello that is malformed.
    public enum Fault: String, Hashable, Sendable, CaseIterable {
        case record = "a record of the hello is empty, too long, or not a handshake record"
        case message = "the first handshake message is not a ClientHello"
        case trailingData = "the hello is followed by more data in its last record"
        case length = "a length in the hello does not fit what it is the length of"
        case serverNames = "the server name extension is malformed"
        case severalServerNames = "the hello names a server more than once"
    }

    /// Looks for a whole hello at the beginning of `bytes`.
    ///
    /// An outcome other than `.incomplete` is final: more bytes would not change it. Looking again only at the count that
    /// `.incomplete` asks for makes the work linear in the length of the hello, however small its records are.
    public static func inspect(_ bytes: Span<UInt8>, name: inout RoutingName) -> Outcome {
        name.removeAll()
        var records = HandshakeRecords()
        switch records.findMessage(in: bytes) {
        case .incomplete(let until): return .incomplete(until: until)
        case .refused(let refusal): return .refused(refusal)
        case .found(let message, let length):
            var reader = message
            if let refusal = readBody(bytes, &reader, name: &name) {
                name.removeAll()
                return .refused(refusal)
            }
            return .hello(length: length)
        }
    }

    /// Reads the hello's body, of which all is there, and the name into `name`; answers why it is refused, or nil.
    private static func readBody(_ bytes: Span<UInt8>, _ reader: inout HelloReader, name: inout RoutingName) -> Refusal?
    {
        guard let version = reader.number16(bytes) else { return .malformed(.length) }
        guard version >> 8 == 3 else { return version >> 8 < 3 ? .tooOld : .malformed(.message) }
        guard version > 0x0300 else { return .tooOld }
        guard reader.skip(32, bytes),  // random
            let session = reader.number8(bytes), session <= 32, reader.skip(session, bytes),
            let suites = reader.number16(bytes), suites >= 2, suites & 1 == 0, reader.skip(suites, bytes),
            let compressions = reader.number8(bytes), compressions >= 1, reader.skip(compressions, bytes)
        else { return .malformed(.length) }
        guard reader.remaining > 0 else { return nil }  // TLS 1.2 may do without extensions
        guard let extensions = reader.number16(bytes), extensions == reader.remaining else {
            return .malformed(.length)
        }
        var hasServerNames = false
        while reader.remaining > 0 {
            guard let type = reader.number16(bytes), let length = reader.number16(bytes), length <= reader.remaining
            else {
                return .malformed(.length)
            }
            if type == 0 {
                guard !hasServerNames else { return .malformed(.severalServerNames) }
                hasServerNames = true
                if let refusal = readServerNames(bytes, &reader, length: length, name: &name) { return refusal }
            } else {
                guard reader.skip(length, bytes) else { return .malformed(.length) }
            }
        }
        return nil
    }

    /// Reads the server name extension's `length` bytes, all of which are there: RFC 6066 section 3.
    private static func readServerNames(
        _ bytes: Span<UInt8>, _ reader: inout HelloReader, length: Int, name: inout RoutingName
    ) -> Refusal? {
        let after = reader.remaining &- length  // no less than 0: the caller has compared them
        guard length >= 2, let list = reader.number16(bytes), list == length &- 2, list > 0 else {
            return .malformed(.serverNames)
        }
        var hasHostName = false
        while reader.remaining > after {
            guard reader.remaining &- after >= 3, let type = reader.number8(bytes), let size = reader.number16(bytes),
                size > 0, size <= reader.remaining &- after
            else { return .malformed(.serverNames) }
            guard type == 0 else {
                // Other kinds of name have never been defined. Every stack gives them the layout of the one that was.
                guard reader.skip(size, bytes) else { return .malformed(.serverNames) }
                continue
            }
            guard !hasHostName else { return .malformed(.severalServerNames) }
            hasHostName = true
            guard readHostName(bytes, &reader, size: size, name: &name) else { return .badServerName }
        }
        return nil
    }

    private static func readHostName(
        _ bytes: Span<UInt8>, _ reader: inout HelloReader, size: Int, name: inout RoutingName
    ) -> Bool {
        guard size <= RoutingName.longest else { return false }
        // The records may break the name anywhere, so it is gathered before it is read.
        var gathered = InlineArray<256, UInt8>(repeating: 0)
        for index in 0..<size {
            guard let octet = reader.number8(bytes) else { return false }
            gathered[index] = UInt8(truncatingIfNeeded: octet)
        }
        switch HostName.read(gathered.span, in: 0..<size, into: &name) {
        case .name, .address: return true
        // An address has no place here, but some clients send one all the same; it is as if they had named nothing.
        case .invalid: return HostName.isIPv6(gathered.span, in: 0..<size)
        }
    }
}

extension ClientHello.Refusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notTLS: "the first bytes are not a TLS handshake"
        case .tooOld: "the client speaks SSL 3.0 or older"
        case .tooLong: "the hello is longer than \(ClientHello.longest) bytes"
        case .badServerName: "the server name is not a host name"
        case .malformed(let fault): fault.rawValue
        }
    }
}

/// The alerts that we answer a hello with. Each is one record of 7 bytes, in the clear, as alerts are before a handshake.
public enum TLSAlert {
    /// Nobody here has the name that the client asks for: RFC 6066 section 3.
    public static let unrecognizedName: InlineArray<7, UInt8> = fatal(112)
    /// The hello could not be read: RFC 8446 section 6.2.
    public static let decodeError: InlineArray<7, UInt8> = fatal(50)

    /// A record of type alert (21), of version 1.2 as every stack accepts, with 2 bytes: fatal (2) and what for.
    private static func fatal(_ description: UInt8) -> InlineArray<7, UInt8> { [21, 3, 3, 0, 2, 2, description] }
}
