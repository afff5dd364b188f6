public import Domain

/// What an endpoint is told of where a request came from.
public struct Forwarding: Hashable, Sendable {
    public let addressing: ForwardedFor
    public let fields: ForwardedFields
    /// The port that the client called.
    public let port: UInt16

    public init(_ addressing: ForwardedFor, fields: ForwardedFields = .keep, port: UInt16 = 80) {
        self.addressing = addressing
        self.fields = fields
        self.port = port
    }

    /// Whether no request of the connection may get past us.
    var isGuarded: Bool { addressing != .off || fields != .keep }
}

extension RequestHead {
    /// Copies this head from `head`, where it was found, as the endpoint is to read it.
    ///
    /// The client's address is put into X-Forwarded-For. `.append` adds to the last such line: the order of the lines
    /// is the order of the proxies (RFC 9110 section 5.3), and a line of our own after it would be lost on a program
    /// that reads one. `.replace` drops every such line, so that nothing the client claims is left. The other fields of
    /// this kind are kept, dropped or replaced as `forwarding` says. If there is any of this, an offer of HTTP/2 in the
    /// clear (`Upgrade: h2c`, RFC 9113 section 3.1) is taken back: behind a 101 there would be requests that nobody
    /// adds an address to. A client that offers it goes on in HTTP/1.1.
    ///
    /// In any case the fields of the client's connection are dropped (RFC 9110 section 7.6.1), a target in absolute
    /// form becomes path and Host (RFC 9112 section 3.2.2), and Max-Forwards counts down where it has to.
    ///
    /// The count, or nil when `output` is too small; `longestCopy` always suffices.
    public func copy(
        _ head: Span<UInt8>, forwarding: Forwarding, client: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) -> Int? {
        guard head.count >= length else { return nil }
        var copying = HeadCopying(head: self, forwarding: forwarding)
        copying.write(head, client: client, into: &output)
        return copying.writer.written
    }

    /// The most that `copy` writes for a client whose address has so many bytes.
    public func longestCopy(forwarding: Forwarding, client: Int) -> Int {
        // `X-Forwarded-For: ` and a CR LF; a Connection line; what the Host line of an absolute target is longer than
        // that target's beginning. Positions are those of bytes that are there, so no sum overflows.
        let longest = length &+ 19 &+ client &+ ConnectionOptions.longestGrowth &+ 2
        guard forwarding.fields == .set else { return longest }
        // The constant parts of the five lines come to 123 bytes.
        return longest &+ 123 &+ 2 &* (client &+ authority.count)
    }

    /// Where the authority is that the request is for: its target's, or that of its Host field. Empty for a request
    /// that names none.
    var authority: Range<Int> { target?.authority ?? hostField ?? 0..<0 }

    /// Whether the Host field names another host than the target, and so might belong to another service.
    public var namesTwoHosts: Bool { target?.differsFromHost ?? false }

    /// Reads the name in the Host field, which is valid, of this head in `head`; leaves `name` empty when it is an
    /// address.
    public func readHostField(_ head: Span<UInt8>, into name: inout RoutingName) {
        name.removeAll()
        guard let hostField, hostField.upperBound <= head.count else { return }
        _ = Authority(head, in: hostField, name: &name)
    }

    /// Whether the value of an Upgrade field has `h2c` among its protocols.
    static func offersHTTP2(_ bytes: Span<UInt8>, in value: Range<Int>) -> Bool {
        var protocols = ListElements(in: value)
        while let name = protocols.next(bytes) {
            if bytes.spells("h2c", in: name) { return true }
        }
        return false
    }
}

/// Copies one request head, and changes on the way what has to be changed.
private struct HeadCopying {
    let head: RequestHead
    let forwarding: Forwarding
    /// The options that travel on.
    private var options: ConnectionOptions
    private let takesHTTP2Back: Bool
    private let saysOptions: Bool
    var writer = OctetWriter()

    init(head: RequestHead, forwarding: Forwarding) {
        self.head = head
        self.forwarding = forwarding
        options = head.options
        takesHTTP2Back = forwarding.isGuarded && head.offersHTTP2
        // The settings of HTTP/2 go with its offer; without one they are a field of the client's connection like any
        // other.
        options.http2Settings = options.http2Settings && head.offersHTTP2 && !forwarding.isGuarded
        if takesHTTP2Back { options.upgrade = options.upgrade && head.offersAnother }
        saysOptions = options != head.options || !options.named.isEmpty
    }

    /// Whether a line is dropped or changed, beside that of X-Forwarded-For to which an address is added.
    private var changesLines: Bool {
        saysOptions || takesHTTP2Back || head.hasHopFields || head.target != nil || head.countsForwards
            || (forwarding.addressing == .replace && head.forwardedFor != .nowhere)
            || (forwarding.fields != .keep && head.hasForwardedFields)
    }

    mutating func write(_ bytes: Span<UInt8>, client: Span<UInt8>, into output: inout MutableSpan<UInt8>) {
        let end = head.length &- 2
        let place: ForwardedForPlace = forwarding.addressing == .append ? head.forwardedFor : .nowhere
        if changesLines {
            writeLines(bytes, to: end, client: client, place, into: &output)
        } else {
            // Two runs of bytes around what is added.
            writeAdding(bytes, 0..<end, client: client, place, into: &output)
        }
        if forwarding.addressing != .off, place == .nowhere {
            put("X-Forwarded-For: ", client, into: &output)
        }
        if forwarding.fields == .set { writeForwardedFields(bytes, client: client, into: &output) }
        writer.put("\r\n", into: &output)
    }

    /// Copies the bytes of `range`, with the client's address at `place` if that is among them.
    private mutating func writeAdding(
        _ bytes: Span<UInt8>, _ range: Range<Int>, client: Span<UInt8>, _ place: ForwardedForPlace,
        into output: inout MutableSpan<UInt8>
    ) {
        let (index, separator): (Int, String)
        switch place {
        case .after(let end) where range.contains(end): (index, separator) = (end, ", ")
        case .emptyAfter(let end) where range.contains(end): (index, separator) = (end, " ")
        default: return writer.put(bytes, range, into: &output)
        }
        writer.put(bytes, range.lowerBound..<index, into: &output)
        writer.put(separator, into: &output)
        writer.put(client, 0..<client.count, into: &output)
        writer.put(bytes, index..<range.upperBound, into: &output)
    }

    /// Copies line by line.
    private mutating func writeLines(
        _ bytes: Span<UInt8>, to end: Int, client: Span<UInt8>, _ place: ForwardedForPlace,
        into output: inout MutableSpan<UInt8>
    ) {
        var start = 0
        while start < end {
            var next = start
            while next < end, bytes[next] != .lineFeed { next &+= 1 }
            next = min(next &+ 1, end)
            if start == 0 {
                writeRequestLine(bytes, 0..<next, into: &output)
            } else {
                writeField(bytes, start..<next, client: client, place, into: &output)
            }
            start = next
        }
    }

    private mutating func writeRequestLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>, into output: inout MutableSpan<UInt8>
    ) {
        guard let target = head.target else { return writer.put(bytes, line, into: &output) }
        // `http://` stands before the authority.
        writer.put(bytes, 0..<target.authority.lowerBound &- 7, into: &output)
        if target.isAsterisk {
            writer.put("*", into: &output)
        } else if target.rest.isEmpty || bytes[target.rest.lowerBound] != UInt8(ascii: "/") {
            writer.put("/", into: &output)
        }
        writer.put(bytes, target.rest.lowerBound..<line.upperBound, into: &output)
        // HTTP/1.0 knows no Host field; from here on nothing else tells the host.
        if head.hostField == nil { put("Host: ", bytes.extracting(target.authority), into: &output) }
    }

    private mutating func writeField(
        _ bytes: Span<UInt8>, _ line: Range<Int>, client: Span<UInt8>, _ place: ForwardedForPlace,
        into output: inout MutableSpan<UInt8>
    ) {
        var colon = line.lowerBound
        while bytes[colon] != UInt8(ascii: ":") { colon &+= 1 }  // a line that was read has one
        let name = line.lowerBound..<colon
        let field = FieldName(bytes, in: name)
        if field != .connection, field?.isProtected != true, head.namedFields.contains(bytes, in: name) { return }
        switch field {
        case .connection:
            guard saysOptions else { break }
            // One line for all.
            options.write(&writer, into: &output)
            options = ConnectionOptions()
            return
        case .keepAlive, .proxyConnection: return
        case .http2Settings where takesHTTP2Back || (head.options.http2Settings && !head.offersHTTP2): return
        case .upgrade where takesHTTP2Back && RequestHead.offersHTTP2(bytes, in: colon &+ 1..<line.upperBound &- 2):
            return
        case .forwardedFor where forwarding.addressing == .replace: return
        case .forwardedFor: return writeAdding(bytes, line, client: client, place, into: &output)
        case .forwarded where forwarding.fields != .keep: return
        case .host:
            guard let target = head.target, let value = head.hostField else { break }
            writer.put(bytes, line.lowerBound..<value.lowerBound, into: &output)
            writer.put(bytes, target.authority, into: &output)
            writer.put(bytes, value.upperBound..<line.upperBound, into: &output)
            return
        case .maxForwards where head.countsForwards:
            let value = bytes.trimmed(colon &+ 1..<line.upperBound &- 2)
            guard let forwards = BodyFraming.length(bytes, in: value), forwards > 0 else { break }
            writer.put(bytes, line.lowerBound..<value.lowerBound, into: &output)
            writer.put(decimal: Int(forwards &- 1), into: &output)  // at most `BodyFraming.longest`
            writer.put("\r\n", into: &output)
            return
        default: break
        }
        writer.put(bytes, line, into: &output)
    }

    private mutating func writeForwardedFields(
        _ bytes: Span<UInt8>, client: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) {
        let host = bytes.extracting(head.authority)
        // RFC 7239 section 6: an IPv6 address has brackets, and what has a colon is quoted.
        var isIPv6 = false
        for index in client.indices where client[index] == UInt8(ascii: ":") { isIPv6 = true }
        writer.put(isIPv6 ? "Forwarded: for=\"[" : "Forwarded: for=", into: &output)
        writer.put(client, 0..<client.count, into: &output)
        if isIPv6 { writer.put("]\"", into: &output) }
        if !host.isEmpty {
            writer.put(";host=\"", into: &output)
            writer.put(host, 0..<host.count, into: &output)
            writer.put("\"", into: &output)
        }
        writer.put(";proto=http\r\n", into: &output)
        put("X-Real-IP: ", client, into: &output)
        writer.put("X-Forwarded-Proto: http\r\n", into: &output)
        if !host.isEmpty { put("X-Forwarded-Host: ", host, into: &output) }
        writer.put("X-Forwarded-Port: ", into: &output)
        writer.put(decimal: Int(forwarding.port), into: &output)
        writer.put("\r\n", into: &output)
    }

    private mutating func put(_ name: String, _ value: Span<UInt8>, into output: inout MutableSpan<UInt8>) {
        writer.put(name, into: &output)
        writer.put(value, 0..<value.count, into: &output)
        writer.put("\r\n", into: &output)
    }
}
