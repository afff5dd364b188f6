import Domain

/// Version 2 of the PROXY protocol: binary, with room for more than addresses (TLVs), none of which we use but the
/// checksum.
enum ProxyHeaderV2 {
    static let signature: InlineArray<12, UInt8> = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
    /// The bytes before the addresses.
    static let header = 16
    /// Two addresses and two ports.
    static let ipv4Block = 12
    static let ipv6Block = 36
    static let unixBlock = 216

    static func inspect(_ bytes: Span<UInt8>) -> ProxyHeader.Outcome {
        for index in 0..<min(bytes.count, 12) where bytes[index] != signature[index] { return .malformed }
        guard bytes.count > 12 else { return .incomplete }
        // Version 2 in the high half, the command in the low one: LOCAL is 0, PROXY is 1.
        guard bytes[12] == 0x20 || bytes[12] == 0x21 else { return .malformed }
        guard bytes.count >= header else { return .incomplete }
        let block = bytes.number16(at: 14)
        let length = header &+ block
        guard block <= ProxyHeader.longestBlock else { return .malformed }
        if bytes[12] == 0x20 {
            // The rest of a LOCAL header is to be skipped, whatever it says.
            return bytes.count >= length ? .header(addressless(length: length)) : .incomplete
        }
        guard let addresses = addressLength(bytes[13]), block >= addresses else { return .malformed }
        guard bytes.count >= length else { return .incomplete }
        // Without a family there is no telling where the TLVs begin, so they are not looked at.
        guard addresses > 0 else { return .header(addressless(length: length)) }
        guard hasValidTLVs(bytes, from: header &+ addresses, to: length) else { return .malformed }
        return .header(read(bytes, length: length))
    }

    private static func addressless(length: Int) -> ProxyHeader {
        ProxyHeader(length: length, source: nil, destination: nil)
    }

    /// How many bytes the addresses of a family (high half) and a protocol (low half) take; nil for those that do not
    /// exist.
    private static func addressLength(_ octet: UInt8) -> Int? {
        guard octet & 0x0F <= 2 else { return nil }
        return switch octet >> 4 {
        case 0: 0
        case 1: ipv4Block
        case 2: ipv6Block
        case 3: unixBlock
        default: nil
        }
    }

    private static func read(_ bytes: Span<UInt8>, length: Int) -> ProxyHeader {
        switch bytes[13] {
        case 0x11:
            ProxyHeader(
                length: length,
                source: TransportAddress(Address(ipv4: number32(bytes, at: 16)), port: port(bytes, at: 24)),
                destination: TransportAddress(Address(ipv4: number32(bytes, at: 20)), port: port(bytes, at: 26)))
        case 0x21:
            ProxyHeader(
                length: length,
                source: TransportAddress(Address(ipv6: number(bytes, at: 16, count: 16)), port: port(bytes, at: 48)),
                destination: TransportAddress(
                    Address(ipv6: number(bytes, at: 32, count: 16)), port: port(bytes, at: 50)))
        default:
            // Unix sockets have no address of our kind, and datagrams are not what we were sent.
            addressless(length: length)
        }
    }

    private static func number(_ bytes: Span<UInt8>, at start: Int, count: Int) -> UInt128 {
        var number: UInt128 = 0
        for index in start..<start &+ count { number = number << 8 | UInt128(bytes[index]) }
        return number
    }

    private static func number32(_ bytes: Span<UInt8>, at start: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: number(bytes, at: start, count: 4))
    }

    private static func port(_ bytes: Span<UInt8>, at index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: bytes.number16(at: index))
    }

    /// Whether type, length and value follow one another exactly up to `end`, and the checksum, if there is one, is
    /// right.
    private static func hasValidTLVs(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Bool {
        var position = start
        var hasChecksum = false
        while position < end {
            guard end &- position >= 3 else { return false }
            let value = position &+ 3
            let length = bytes.number16(at: position &+ 1)
            guard length <= end &- value else { return false }
            if bytes[position] == 3 {
                guard length == 4, !hasChecksum else { return false }
                hasChecksum = true
                guard crc32c(bytes, to: end, without: value..<value &+ 4) == number32(bytes, at: value) else {
                    return false
                }
            }
            position = value &+ length
        }
        return true
    }

    /// The CRC32C of the header, with the checksum's own bytes taken as zero. Bit by bit: few senders have one, and it
    /// is short.
    static func crc32c(_ bytes: Span<UInt8>, to end: Int, without own: Range<Int>) -> UInt32 {
        var crc = UInt32.max
        for index in 0..<end {
            crc ^= own.contains(index) ? 0 : UInt32(bytes[index])
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
        }
        return ~crc
    }

    static func write(
        source: TransportAddress, destination: TransportAddress, into output: inout MutableSpan<UInt8>
    ) -> Int? {
        var writer = OctetWriter()
        let isIPv4 = source.sharesIPv4(with: destination)
        for index in signature.indices { writer.put(signature[index], into: &output) }
        writer.put(0x21, into: &output)
        writer.put(isIPv4 ? 0x11 : 0x21, into: &output)
        put(UInt128(isIPv4 ? ipv4Block : ipv6Block), count: 2, by: &writer, into: &output)
        put(source.address.bitsInIPv6, count: isIPv4 ? 4 : 16, by: &writer, into: &output)
        put(destination.address.bitsInIPv6, count: isIPv4 ? 4 : 16, by: &writer, into: &output)
        put(UInt128(source.port), count: 2, by: &writer, into: &output)
        put(UInt128(destination.port), count: 2, by: &writer, into: &output)
        return writer.written
    }

    /// The low `count` octets of `number`, the most significant first.
    private static func put(
        _ number: UInt128, count: Int, by writer: inout OctetWriter, into output: inout MutableSpan<UInt8>
    ) {
        for index in 0..<count {
            writer.put(UInt8(truncatingIfNeeded: number >> UInt128(8 * (count - 1 - index))), into: &output)
        }
    }
}
