import Domain
import Routing
import Testing

private func inspect(_ bytes: [UInt8]) -> ProxyHeader.Outcome { ProxyHeader.inspect(bytes.span) }

private func inspect(_ text: String) -> ProxyHeader.Outcome { inspect(Array(text.utf8)) }

private func parsed(_ outcome: ProxyHeader.Outcome) -> ProxyHeader? {
    if case .header(let header) = outcome { header } else { nil }
}

private func written(
    _ version: SendProxyProtocol, _ source: String, _ destination: String, room: Int = ProxyHeader.longestWritten
) throws -> [UInt8]? {
    let source = try TransportAddress(source)
    let destination = try TransportAddress(destination)
    var octets = [UInt8](repeating: 0, count: room)
    var output = octets.mutableSpan
    let count = ProxyHeader.write(version, source: source, destination: destination, into: &output)
    return count.map { Array(octets[..<$0]) }
}

@Suite struct `PROXY header, version 1` {
    @Test(arguments: [
        ("PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n", "192.0.2.1:50000", "198.51.100.1:443"),
        ("PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n", "[2001:db8::1]:65535", "[2001:db8::2]:0"),
        ("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n", "192.0.2.1:1", "[2001:db8::2]:2"),
    ])
    func `a header is read, and every prefix of it asks for more`(text: String, source: String, destination: String)
        throws
    {
        let header = try #require(parsed(inspect(text + "GET")))
        #expect(header.length == text.utf8.count)
        #expect(header.source == (try TransportAddress(source)))
        #expect(header.destination == (try TransportAddress(destination)))
        for count in 0..<text.utf8.count { #expect(inspect(Array(text.utf8.prefix(count))) == .incomplete) }
    }

    @Test func `UNKNOWN tells nothing, whatever follows it`() throws {
        for text in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 x y\r\n"] {
            let header = try #require(parsed(inspect(text)))
            #expect(header.length == text.utf8.count && header.source == nil && header.destination == nil)
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "PROXY\r\n", "proxy TCP4", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4\r\n",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4  2\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx", "PROXY UNKNOWNX\r\n",
        "PROXY TCP6 [::1] ::1 1 2\r\n",
    ])
    func `what is not exactly a header is malformed`(text: String) {
        #expect(inspect(text) == .malformed)
    }

    @Test func `a header has at most 107 bytes`() {
        let padding = String(repeating: "x", count: 107 - 16)
        #expect(parsed(inspect("PROXY UNKNOWN \(padding)\r\n"))?.length == 107)
        #expect(inspect("PROXY UNKNOWN \(padding)x\r\n") == .malformed)
        #expect(inspect("PROXY UNKNOWN \(padding)xx") == .malformed)
    }
}

@Suite struct `PROXY header, version 2` {
    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
    static let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0xC3, 0x50, 1, 0xBB]

    static func make(_ command: UInt8, _ family: UInt8, _ block: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(block.count >> 8), UInt8(block.count & 0xFF)] + block
    }

    @Test func `a header is read, and every prefix of it asks for more`() throws {
        let ipv6 = [UInt8](repeating: 0x20, count: 16) + [UInt8](repeating: 0x21, count: 16) + [0, 1, 0, 2]
        for bytes in [
            Self.make(0x21, 0x11, Self.ipv4), Self.make(0x21, 0x21, ipv6),
            Self.make(0x21, 0x11, Self.ipv4 + [4, 0, 1, 7]),
        ] {
            let header = try #require(parsed(inspect(bytes + [22, 3, 1])))
            #expect(header.length == bytes.count)
            #expect(
                header.source?.description
                    == (bytes[13] == 0x11 ? "192.0.2.1:50000" : "[2020:2020:2020:2020:2020:2020:2020:2020]:1"))
            #expect(header.destination?.port == (bytes[13] == 0x11 ? 443 : 2))
            for count in 0..<bytes.count { #expect(inspect(Array(bytes[..<count])) == .incomplete) }
        }
    }

    @Test func `a mapped address is the IPv4 address that it stands for`() throws {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 1]
        let header = parsed(inspect(Self.make(0x21, 0x21, mapped + mapped + [0, 1, 0, 2])))
        #expect(header?.source == (try TransportAddress("192.0.2.1:1")))
    }

    @Test func `LOCAL, no family, Unix sockets and datagrams tell no address`() {
        let unix = [UInt8](repeating: 0, count: 216)
        let headers = [
            Self.make(0x20, 0, []), Self.make(0x20, 0x11, Self.ipv4), Self.make(0x20, 0xFF, [1, 2, 3]),
            Self.make(0x21, 0, [9, 9]),
            Self.make(0x21, 0x31, unix), Self.make(0x21, 0x12, Self.ipv4),
        ]
        for bytes in headers {
            let header = parsed(inspect(bytes))
            #expect(header?.length == bytes.count)
            #expect(header?.source == nil && header?.destination == nil)
        }
    }

    @Test func `what is not exactly a header is malformed`() {
        let headers = [
            Self.make(0x11, 0x11, Self.ipv4), Self.make(0x22, 0x11, Self.ipv4), Self.make(0x21, 0x13, Self.ipv4),
            Self.make(0x21, 0x41, Self.ipv4), Self.make(0x21, 0x11, Self.ipv4.dropLast()),
            Self.make(0x21, 0x21, Self.ipv4),
            Self.make(0x21, 0x31, Self.ipv4), Self.make(0x21, 0x11, [UInt8](repeating: 0, count: 4097)),
            // TLVs that end short of, or beyond, the header.
            Self.make(0x21, 0x11, Self.ipv4 + [4]), Self.make(0x21, 0x11, Self.ipv4 + [4, 0]),
            Self.make(0x21, 0x11, Self.ipv4 + [4, 0, 2, 7]), Self.make(0x21, 0x11, Self.ipv4 + [4, 0, 0, 7]),
        ]
        for bytes in headers { #expect(inspect(bytes) == .malformed) }
        #expect(inspect([13, 10, 13, 11]) == .malformed)
    }

    @Test func `the length is refused before the header is waited for`() {
        #expect(inspect(Self.signature + [0x21, 0x11, 0x10, 1]) == .malformed)
        #expect(inspect(Self.signature + [0x20, 0x11, 0x10, 1]) == .malformed)
        #expect(inspect(Self.signature + [0x21, 0x21, 0, 35]) == .malformed)
    }

    @Test func `a checksum has to be right when there is one`() {
        // Of the header below with four zero bytes in the checksum's place.
        let checksum: [UInt8] = [0xFB, 0x66, 0x7B, 0xE1]
        #expect(parsed(inspect(Self.make(0x21, 0x11, Self.ipv4 + [3, 0, 4] + checksum))) != nil)
        #expect(inspect(Self.make(0x21, 0x11, Self.ipv4 + [3, 0, 4, 0, 0, 0, 0])) == .malformed)
        #expect(inspect(Self.make(0x21, 0x11, Self.ipv4 + [3, 0, 3, 0, 0, 0])) == .malformed)
    }
}

@Suite struct `PROXY header, written` {
    @Test(arguments: [
        ("192.0.2.1:50000", "198.51.100.1:443", "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n"),
        ("[2001:db8::1]:1", "[::]:0", "PROXY TCP6 2001:db8::1 :: 1 0\r\n"),
        ("192.0.2.1:1", "[2001:db8::1]:2", "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n"),
        ("[2001:db8::1]:1", "192.0.2.1:2", "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 2\r\n"),
    ])
    func `what is written is read back, in both versions`(source: String, destination: String, text: String) throws {
        let first = try #require(try written(.v1, source, destination))
        #expect(String(decoding: first, as: UTF8.self) == text)
        let second = try #require(try written(.v2, source, destination))
        #expect(second.count == (text.contains("TCP4") ? 28 : 52))
        for bytes in [first, second] {
            let header = try #require(parsed(inspect(bytes)))
            #expect(header.length == bytes.count)
            #expect(header.source == (try TransportAddress(source)))
            #expect(header.destination == (try TransportAddress(destination)))
        }
    }

    @Test func `the longest header fits`() throws {
        let end = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"
        #expect(try written(.v1, end, end)?.count == ProxyHeader.longestWritten)
        #expect(try written(.v1, end, end, room: ProxyHeader.longestWritten - 1) == nil)
        #expect(try written(.v2, end, end, room: 51) == nil)
    }

    @Test func `nothing is written when the option is off`() throws {
        #expect(try written(.off, "192.0.2.1:1", "192.0.2.2:2") == [])
    }
}
