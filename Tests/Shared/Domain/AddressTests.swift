import Domain
import Testing

@Suite struct `Address values` {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:db8::1", "2001:db8::1"),
        // RFC 5952, sections 4.1 to 4.3: no leading zeros, the longest run, the first of equals, never one group, lower
        // case.
        ("2001:0db8::0001", "2001:db8::1"), ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:DB8::A", "2001:db8::a"),
        ("2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:0201", "192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("::192.0.2.1", "::c000:201"),
    ])
    func `is written in one way, however it was spelled`(text: String, canonical: String) throws {
        let address = try Address(text)
        #expect(address.description == canonical)
        #expect(try Address(canonical) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "0x7f.0.0.1", "127.1", "1.2.3.4 ", " 1.2.3.4", "1..2.3",
        "1.2.3.", ".1.2.3", "1.2.3.-4", "+1.2.3.4", "1.2.3.4/8", ":", ":::", "1:::2", "1::2::3", "12345::", "g::",
        "::1%eth0",
        "[::1]", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", ":1:2:3:4:5:6:7", "1:",
        "::ffff:1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "１.2.3.4",
    ])
    func `is refused when programs could disagree on it`(text: String) {
        #expect(throws: InvalidValue.self) { try Address(text) }
    }

    @Test func `of random octets never traps, and means the same when written and read again`() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("0123456789abcdefF:::..%".utf8)
        for _ in 0..<50_000 {
            let count = Int.random(in: 0..<24, using: &generator)
            let text = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            guard let address = Address(parsing: text.span) else { continue }
            #expect(Address(parsing: Array(address.description.utf8).span) == address)
        }
    }

    @Test(arguments: [
        ("192.0.2.1:443", "192.0.2.1:443"), ("[2001:db8::1]:80", "[2001:db8::1]:80"), ("0.0.0.0:0", "0.0.0.0:0"),
        ("192.0.2.1:65535", "192.0.2.1:65535"),
    ])
    func `with a port is read and written`(text: String, canonical: String) throws {
        #expect(try TransportAddress(text).description == canonical)
    }

    @Test(arguments: [
        "", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "2001:db8::1:443", "[192.0.2.1]:443", "[::1]",
        "[::1:443", "::1]:443", "localhost:443",
    ])
    func `with a port that is missing or unclear is refused`(text: String) {
        #expect(throws: InvalidValue.self) { try TransportAddress(text) }
    }
}

@Suite struct `Prefix values` {
    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1", "192.0.2.1/32"), ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"),
        ("2001:db8::/32", "2001:db8::/32"), ("::1", "::1/128"), ("128.0.0.0/1", "128.0.0.0/1"),
    ])
    func `is read and written`(text: String, canonical: String) throws {
        #expect(try Prefix(text).description == canonical)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.1/8", "::1/0",
        "::/129", "x/8",
        "10.0.0.0/ 8", "10.0.0.0/8 ",
    ])
    func `is refused when it is none, or has bits beyond its length`(text: String) {
        #expect(throws: InvalidValue.self) { try Prefix(text) }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "255.0.0.1", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true), ("::/0", "192.0.2.1", false),
        ("192.0.2.1/32", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.0", false),
        ("2001:db8::/33", "2001:db8:8000::", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
    ])
    func `contains the addresses that share its bits`(prefix: String, address: String, isInside: Bool) throws {
        #expect(try Prefix(prefix).contains(Address(address)) == isInside)
    }
}
