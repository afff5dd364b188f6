import Domain

/// Version 1 of the PROXY protocol: one line of text.
enum ProxyHeaderV1 {
    /// With its CR LF, says the specification, which is why a buffer of 108 bytes is enough for it.
    static let longest = 107

    static func inspect(_ bytes: Span<UInt8>) -> ProxyHeader.Outcome {
        guard bytes.equals("PROXY ", upTo: min(bytes.count, 6)) else { return .malformed }
        let limit = min(bytes.count, longest)
        var end = 0
        while end < limit, bytes[end] != .carriageReturn {
            guard bytes[end] != .lineFeed else { return .malformed }
            end &+= 1
        }
        guard end &+ 1 < limit else { return bytes.count >= longest ? .malformed : .incomplete }
        guard bytes[end &+ 1] == .lineFeed else { return .malformed }
        return read(bytes, end: end).map { .header($0) } ?? .malformed
    }

    /// Reads the line that ends at `end`, before its CR LF.
    private static func read(_ bytes: Span<UInt8>, end: Int) -> ProxyHeader? {
        let length = end &+ 2
        var position = 6
        let family = word(bytes, &position, end: end)
        // What follows UNKNOWN must be ignored, says the specification.
        if bytes.equals("UNKNOWN", in: family) { return ProxyHeader(length: length, source: nil, destination: nil) }
        let isIPv6 = bytes.equals("TCP6", in: family)
        guard isIPv6 || bytes.equals("TCP4", in: family) else { return nil }
        guard let source = address(bytes, in: word(bytes, &position, end: end), isIPv6: isIPv6),
            let destination = address(bytes, in: word(bytes, &position, end: end), isIPv6: isIPv6),
            let sourcePort = port(bytes, in: word(bytes, &position, end: end)),
            let destinationPort = port(bytes, in: position..<end)
        else { return nil }
        return ProxyHeader(
            length: length, source: TransportAddress(source, port: sourcePort),
            destination: TransportAddress(destination, port: destinationPort))
    }

    /// The octets up to the next space, after which `position` then is. Without one, what remains.
    private static func word(_ bytes: Span<UInt8>, _ position: inout Int, end: Int) -> Range<Int> {
        let start = position
        var index = start
        while index < end, bytes[index] != .space { index &+= 1 }
        position = min(index &+ 1, end)
        return start..<index
    }

    private static func address(_ bytes: Span<UInt8>, in range: Range<Int>, isIPv6: Bool) -> Address? {
        isIPv6 == HostName.isIPv6(bytes, in: range) ? Address(parsing: bytes.extracting(range)) : nil
    }

    /// 0 to 65535, without leading zeros.
    private static func port(_ bytes: Span<UInt8>, in range: Range<Int>) -> UInt16? {
        guard !range.isEmpty, range.count <= 5 else { return nil }
        guard range.count == 1 || bytes[range.lowerBound] != UInt8(ascii: "0") else { return nil }
        return BodyFraming.length(bytes, in: range).flatMap { UInt16(exactly: $0) }
    }

    static func write(
        source: TransportAddress, destination: TransportAddress, into output: inout MutableSpan<UInt8>
    ) -> Int? {
        var writer = OctetWriter()
        let isIPv4 = source.sharesIPv4(with: destination)
        writer.put(isIPv4 ? "PROXY TCP4 " : "PROXY TCP6 ", into: &output)
        write(source.address, isMapped: !isIPv4, by: &writer, into: &output)
        writer.put(" ", into: &output)
        write(destination.address, isMapped: !isIPv4, by: &writer, into: &output)
        writer.put(" ", into: &output)
        writer.put(decimal: Int(source.port), into: &output)
        writer.put(" ", into: &output)
        writer.put(decimal: Int(destination.port), into: &output)
        writer.put("\r\n", into: &output)
        return writer.written
    }

    private static func write(
        _ address: Address, isMapped: Bool, by writer: inout OctetWriter, into output: inout MutableSpan<UInt8>
    ) {
        if isMapped, address.family == .ipv4 { writer.put("::ffff:", into: &output) }
        address.write(by: &writer, into: &output)
    }
}
