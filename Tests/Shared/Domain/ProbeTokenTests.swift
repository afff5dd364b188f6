import Domain
import Testing

/// As good as an HMAC for a test: the octets and the key, folded into 32.
private func fold(_ octets: [UInt8], _ key: ProbeKey) -> [UInt8] {
    var mac = key.octets
    for (index, octet) in octets.enumerated() { mac[index % 32] = mac[index % 32] &* 31 &+ octet }
    return mac
}

@Suite struct `The token of a probe` {
    private let za1: ServerName
    private let key: ProbeKey
    private let now: UInt64 = 1_800_000_000

    init() throws {
        za1 = try ServerName("za1")
        key = try #require(ProbeKey(octets: Array(1...32)))
    }

    private func token(time: UInt64 = 1_800_000_000, nonce: UInt128 = 7) -> ProbeToken {
        ProbeToken(of: "ie1", for: za1, time: time, nonce: nonce, key: key, authenticate: fold)
    }

    @Test func `comes out of a request as it went in`() throws {
        let token = token(nonce: UInt128.max - 5)
        let read = try #require(ProbeToken(token.value))
        #expect(read == token)
        #expect(read.vantage == "ie1")
        #expect(read.time == now)
        #expect(read.nonce == UInt128.max - 5)
        #expect(read.isGenuine(for: za1, key: key, authenticate: fold))
    }

    @Test func `looks like this`() {
        let parts = token().value.split(separator: " ")
        #expect(parts.prefix(4) == ["v1", "ie1", "1800000000", "00000000000000000000000000000007"])
        #expect(parts.last?.count == 64)
    }

    @Test func `is nobody else's, and good for no other server`() throws {
        let other = try #require(ProbeKey(octets: Array(2...33)))
        #expect(!token().isGenuine(for: za1, key: other, authenticate: fold))
        #expect(!token().isGenuine(for: try ServerName("za2"), key: key, authenticate: fold))
        #expect(!token().isGenuine(for: za1, key: key, authenticate: { _, _ in [] }))
    }

    @Test func `is void when any part of it is changed`() throws {
        let parts = token().value.split(separator: " ").map(String.init)
        for (index, changed) in [(1, "ie2"), (2, "1800000001"), (3, String(repeating: "0", count: 31) + "8")] {
            var parts = parts
            parts[index] = changed
            let read = try #require(ProbeToken(parts.joined(separator: " ")))
            #expect(!read.isGenuine(for: za1, key: key, authenticate: fold), "part \(index)")
        }
        for place in 0..<64 {
            var digits = Array(parts[4])
            digits[place] = digits[place] == "0" ? "1" : "0"
            let read = try #require(ProbeToken((parts.dropLast() + [String(digits)]).joined(separator: " ")))
            #expect(!read.isGenuine(for: za1, key: key, authenticate: fold), "digit \(place)")
        }
    }

    @Test func `is good for three minutes before and after its time`() {
        for time in [now - 180, now, now + 180] { #expect(token(time: time).isTimely(at: now)) }
        for time in [0, now - 181, now + 181, .max] { #expect(!token(time: time).isTimely(at: now)) }
    }

    @Test(arguments: [
        "", "v1", "v2 ie1 1800000000 00 00", "v1 ie1 1800000000", "v1 IE1 1 0 0", "v1  1 0 0",
        "v1 ie1 -1 00000000000000000000000000000007 " + String(repeating: "0", count: 64),
        "v1 ie1 99999999999999999999999 00000000000000000000000000000007 " + String(repeating: "0", count: 64),
        "v1 ie1 1 0000000000000000000000000000000G " + String(repeating: "0", count: 64),
        "v1 ie1 1 0000000000000000000000000000000A " + String(repeating: "0", count: 64),
        "v1 ie1 1 00000000000000000000000000000007 " + String(repeating: "0", count: 62),
        "v1 ie1 1 00000000000000000000000000000007 " + String(repeating: "0", count: 66),
        " v1 ie1 1 00000000000000000000000000000007 " + String(repeating: "0", count: 64),
        String(repeating: "v1 ", count: 100_000),
    ])
    func `is nothing else`(text: String) {
        #expect(ProbeToken(text) == nil)
    }

    @Test func `whatever comes is never fatal`() {
        var random = SystemRandomNumberGenerator()
        let whole = Array(token().value.utf8)
        for _ in 0..<20_000 {
            var octets = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                octets[Int.random(in: 0..<octets.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = ProbeToken(String(decoding: octets, as: UTF8.self))?
                .isGenuine(for: za1, key: key, authenticate: fold)
        }
    }

    @Test func `its key shows itself nowhere`() {
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] { #expect(!text.contains("17")) }
        #expect(ProbeKey(octets: Array(1...31)) == nil)
        #expect(ProbeKey(octets: Array(1...33)) == nil)
    }

    @Test func `stands in a plain request, on a line of its own`() throws {
        let host = try DomainName("za1.dfree.test")
        let request = ProbeToken.request(path: "/", host: host, token: token())
        #expect(
            request == "GET / HTTP/1.1\r\nHost: za1.dfree.test\r\nUser-Agent: D-Direct probe\r\n"
                + "DDirect-Probe: \(token().value)\r\nConnection: close\r\n\r\n")
        #expect(!ProbeToken.request(path: "/", host: host, token: nil).contains("DDirect-Probe"))
    }
}
