/// What a TLS client says first, as far as it decides where the connection goes: RFC 8446 section 4.1.2, RFC 6066
/// section 3.
///
/// Nothing is decrypted or changed. A hello may be split over any number of records (RFC 8446 section 5.1), and hellos
/// with post-quantum key shares do not fit into one packet. Of an encrypted hello (ECH) the outer name is the one that
/// counts.
///
/// A fault is named here only when the hello cannot be routed; every other fault is left to the endpoint, which judges
/// it as it would without us. What is refused gets the alert that OpenSSL gives: `Tests/Hostile/mutated_hellos.py`
/// holds the two side by side.
public enum ClientHello {
    /// The handshake message with its header of 4 bytes. 131,396 bytes of body are what OpenSSL takes
    /// (CLIENT_HELLO_MAX_LENGTH).
    public static let longest = 131_400

    /// What the records of a hello may take on the wire: its longest message, each byte of it in a record of its own.
    public static let longestOnWire = longest * (HandshakeRecords.header + 1)

    public enum Outcome: Hashable, Sendable {
        /// It is not worth looking again before `until` bytes are there, which is more than there are now.
        case incomplete(until: Int)
        /// A whole hello, in records of `length` bytes. The name is empty when the client names no host.
        case hello(length: Int)
        case refused(Refusal)
    }

    public enum Refusal: Hashable, Sendable {
        /// Not TLS at all: plain HTTP on the wrong port, another protocol, noise.
        case notTLS
        /// A client that speaks nothing newer than SSL 3.0, which is no longer spoken (RFC 7568).
        case tooOld
        case tooLong
        /// A server name that is no host name.
        case badServerName
        /// A server name with a zero byte, or longer than any name can be.
        case impossibleServerName
        case malformed(Fault)
    }

    /// What is wrong with a hello that is malformed.
    public enum Fault: String, Hashable, Sendable, CaseIterable {
        case recordVersion = "a later record of the hello is not one of TLS"
        case recordLength = "a record of the hello is longer than 16384 bytes"
        case recordType = "a record of the hello is not a handshake record"
        case recordsEmpty = "too many records of the hello are empty"
        case message = "the first handshake message is not a ClientHello"
        case length = "a length in the hello does not fit what it is the length of"
        case serverNames = "the server name extension is malformed"
        case severalServerNames = "the hello names several servers"
        case repeatedServerNames = "the hello has the server name extension twice"
    }

    /// Looks for a whole hello at the beginning of `bytes`, of which `records` have been looked at before.
    ///
    /// An outcome other than `.incomplete` is final: more bytes would not change it. `records` must be new for new
    /// bytes; later looks may have more bytes behind the same ones. Each record is then walked once, so the work is
    /// linear in the length of the hello.
    public static func inspect(
        _ bytes: Span<UInt8>, records: inout HandshakeRecords, name: inout RoutingName
    ) -> Outcome {
        name.removeAll()
        switch records.findMessage(in: bytes) {
        case .incomplete(let until): return .incomplete(until: until)
        case .refused(let refusal): return .refused(refusal)
        case .nameless(let length): return .hello(length: length)
        case .found(let message, let length):
            var reader = message
            if let refusal = readBody(bytes, &reader, name: &name) {
                name.removeAll()
                return .refused(refusal)
            }
            return .hello(length: length)
        }
    }

    /// Looks at `bytes` for the first time.
    public static func inspect(_ bytes: Span<UInt8>, name: inout RoutingName) -> Outcome {
        var records = HandshakeRecords()
        return inspect(bytes, records: &records, name: &name)
    }

    /// Reads the hello's body, of which all is there, and the name into `name`; answers why it is refused, or nil.
    ///
    /// The faults are looked for in the order in which OpenSSL does, so that of two the same one is answered.
    private static func readBody(_ bytes: Span<UInt8>, _ reader: inout HelloReader, name: inout RoutingName) -> Refusal?
    {
        guard let version = reader.number16(bytes), reader.skip(32, bytes),  // random
            let session = reader.number8(bytes), session <= 32, reader.skip(session, bytes),
            let suites = reader.number16(bytes), reader.skip(suites, bytes),
            let compressions = reader.number8(bytes), reader.skip(compressions, bytes)
        else { return .malformed(.length) }
        var serverNames: (reader: HelloReader, length: Int)?
        // TLS 1.2 may do without extensions.
        if reader.remaining > 0 {
            guard let extensions = reader.number16(bytes), extensions == reader.remaining else {
                return .malformed(.length)
            }
        }
        while reader.remaining > 0 {
            guard let type = reader.number16(bytes), let length = reader.number16(bytes), length <= reader.remaining
            else { return .malformed(.length) }
            if type == 0 {
                guard serverNames == nil else { return .malformed(.repeatedServerNames) }
                serverNames = (reader, length)
            }
            guard reader.skip(length, bytes) else { return .malformed(.length) }
        }
        // A newer version than any that exists is served as the newest that both know: RFC 5246 appendix E.1.
        guard version > 0x0300 else { return .tooOld }
        guard var found = serverNames else { return nil }
        return readServerNames(bytes, &found.reader, length: found.length, name: &name)
    }

    /// Reads the server name extension's `length` bytes, all of which are there: RFC 6066 section 3.
    private static func readServerNames(
        _ bytes: Span<UInt8>, _ reader: inout HelloReader, length: Int, name: inout RoutingName
    ) -> Refusal? {
        let after = reader.remaining &- length  // no less than 0: the caller has compared them
        guard length >= 2, let list = reader.number16(bytes), list == length &- 2, list > 0 else {
            return .malformed(.serverNames)
        }
        var entries = 0
        var hostName: (reader: HelloReader, size: Int)?
        while reader.remaining > after {
            guard reader.remaining &- after >= 3, let type = reader.number8(bytes), let size = reader.number16(bytes),
                size <= reader.remaining &- after
            else { return .malformed(.serverNames) }
            entries &+= 1  // at most 2^14
            // Other kinds of name have never been defined. Every stack gives them the layout of the one that was.
            if type == 0 {
                guard hostName == nil else { return .malformed(.severalServerNames) }
                hostName = (reader, size)
            }
            guard reader.skip(size, bytes) else { return .malformed(.serverNames) }
        }
        guard var found = hostName else { return nil }
        let refusal = readHostName(bytes, &found.reader, size: found.size, name: &name)
        // OpenSSL does not get to a name that has another beside it.
        return refusal != nil && entries > 1 ? .malformed(.serverNames) : refusal
    }

    private static func readHostName(
        _ bytes: Span<UInt8>, _ reader: inout HelloReader, size: Int, name: inout RoutingName
    ) -> Refusal? {
        // An empty name names nobody. OpenSSL takes it for none.
        guard size > 0 else { return nil }
        guard size <= 255 else { return .impossibleServerName }
        // The records may break the name anywhere, so it is gathered before it is read.
        var gathered = InlineArray<256, UInt8>(repeating: 0)
        for index in 0..<size {
            guard let octet = reader.number8(bytes) else { return .malformed(.serverNames) }
            guard octet != 0 else { return .impossibleServerName }
            gathered[index] = UInt8(truncatingIfNeeded: octet)
        }
        // `app.example.` is the same name spelled out to the root, as it is in a Host field.
        let host = 0..<(gathered[size &- 1] == UInt8(ascii: ".") ? size &- 1 : size)
        switch HostName.read(gathered.span, in: host, into: &name) {
        case .name, .address: return nil
        // An address has no place here, but some clients send one all the same; it is as if they had named nothing.
        case .invalid: return HostName.isIPv6(gathered.span, in: 0..<size) ? nil : .badServerName
        }
    }
}

extension ClientHello.Refusal {
    /// What the client is told; nothing when it would not understand an alert.
    public var alert: TLSAlert? {
        switch self {
        case .notTLS: nil
        case .tooOld, .malformed(.recordVersion): .protocolVersion
        case .tooLong, .badServerName, .malformed(.repeatedServerNames): .illegalParameter
        case .impossibleServerName: .unrecognizedName
        case .malformed(.recordLength): .recordOverflow
        case .malformed(.recordType), .malformed(.recordsEmpty), .malformed(.message): .unexpectedMessage
        case .malformed(.length), .malformed(.serverNames), .malformed(.severalServerNames): .decodeError
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
        case .impossibleServerName: "the server name has a zero byte, or more than 255 bytes"
        case .malformed(let fault): fault.rawValue
        }
    }
}

/// The alerts that we answer a hello with: RFC 8446 section 6.2. All are fatal.
public enum TLSAlert: UInt8, Hashable, Sendable {
    case unexpectedMessage = 10
    case recordOverflow = 22
    case illegalParameter = 47
    case decodeError = 50
    case protocolVersion = 70
    /// Nobody here has the name that the client asks for: RFC 6066 section 3.
    case unrecognizedName = 112

    /// One record in the clear, as alerts are before a handshake: of type alert (21), of version 1.2 as every stack
    /// accepts, with 2 bytes: fatal (2) and what for.
    public var record: InlineArray<7, UInt8> { [21, 3, 3, 0, 2, 2, rawValue] }
}
