import Routing
import Testing

@Suite struct `Routing names` {
    private let name = RoutingName("App.Acme.Example") ?? RoutingName()

    private func equals(_ text: String, from start: Int = 0) -> Bool {
        let octets = Array(text.utf8)
        return name.equals(octets.span, from: start)
    }

    @Test func `a name is kept in lower case`() {
        #expect(name.description == "app.acme.example")
        #expect(name.count == 16)
        #expect(equals("app.acme.example"))
        #expect(!equals("app.acme.exampl"))
        #expect(!equals("bpp.acme.example"))
    }

    @Test func `a name takes 253 octets and no more`() {
        var name = RoutingName()
        for _ in 0..<253 {
            let isAdded = name.append(UInt8(ascii: "a"))
            #expect(isAdded)
        }
        let isAdded = name.append(UInt8(ascii: "a"))
        #expect(!isAdded)
        #expect(name.count == 253)
        name.removeAll()
        #expect(name.isEmpty)
        #expect(RoutingName(String(repeating: "a", count: 254)) == nil)
    }

    @Test func `without its first label a name is what a wildcard stands before`() {
        #expect(name.afterFirstLabel == 4)
        #expect(equals("acme.example", from: 4))
        #expect(RoutingName("localhost")?.afterFirstLabel == nil)
    }

    @Test func `a name, its octets and its text have one hash`() {
        for text in ["", "a", "acme.ex", "acme.exa", "acme.exam", "a-name-of-some-length.acme.example"] {
            let name = RoutingName(text)
            #expect(name?.hash(seed: 42) == RoutingName.hash(text, seed: 42))
            let octets = Array(text.utf8)
            let hash = RoutingName.hash(octets.span, seed: 42)
            #expect(name?.hash(seed: 42) == hash)
            #expect(name?.hash(seed: 42) != name?.hash(seed: 43))
        }
        #expect(name.hash(from: 4, seed: 7) == RoutingName.hash("acme.example", seed: 7))
    }

    @Test func `similar names have hashes that share no bits but by chance`() {
        var hashes: Set<UInt64> = []
        var slots: Set<UInt64> = []
        for number in 0..<4096 {
            let hash = RoutingName.hash("app\(number).acme.example", seed: 1)
            hashes.insert(hash)
            slots.insert(hash % 4096)
        }
        #expect(hashes.count == 4096)
        // 4096 balls into as many slots fill 63% of them.
        #expect((2400...2800).contains(slots.count))
    }

    @Test func `a name in a log cannot be taken for anything else`() {
        var name = RoutingName()
        for octet in [0x61, 0x0A, 0x1B, 0x22, 0x5C, 0xFF] as [UInt8] { _ = name.append(octet) }
        #expect(name.description == "a\\x0a\\x1b\\x22\\x5c\\xff")
    }

    @Test func `names compare by their octets`() {
        #expect(RoutingName("A.example") == RoutingName("a.EXAMPLE"))
        #expect(RoutingName("a.example") != RoutingName("b.example"))
    }
}
