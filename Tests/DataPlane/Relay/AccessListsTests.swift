import Domain
import Testing

@testable import DataPlane

@Suite struct `Access lists` {
    private func admits(_ access: ClientAccess, _ client: Address) -> Bool {
        var builder = AccessListsBuilder()
        let number = builder.add(access)
        let lists = builder.build()
        defer { lists.free() }
        return lists.admits(client, by: number)
    }

    @Test func `that say nothing let everybody in`() throws {
        let clients = [try Address("192.0.2.1"), try Address("::1")]
        #expect(clients.allSatisfy { admits(.open, $0) })
    }

    @Test(arguments: [
        "0.0.0.0", "255.255.255.255", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0", "::", "2001:db8::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ])
    func `know the first and the last address of a prefix`(text: String) throws {
        let client = try Address(text)
        for prefix in ["0.0.0.0/0", "10.0.0.0/8", "255.255.255.255/32", "0.0.0.0/32", "::/0", "2001:db8::/32"] {
            let access = try ClientAccess(allow: [Prefix(prefix)])
            #expect(admits(access, client) == access.admits(client), "\(prefix)")
            let denying = try ClientAccess(deny: [Prefix(prefix)])
            #expect(admits(denying, client) == denying.admits(client), "\(prefix)")
        }
    }

    @Test func `say what the lists of prefixes say, however these overlap`() throws {
        // Few bits, so that prefixes lie in each other and side by side, and addresses hit and miss.
        var generator = SystemRandomNumberGenerator()
        func number(below bound: UInt32) -> UInt32 { UInt32.random(in: 0..<bound, using: &generator) }
        func address() -> Address {
            number(below: 2) == 0
                ? Address(ipv4: number(below: 256) << 24)
                : Address(ipv6: 0x2000 << 112 | UInt128(number(below: 256)) << 64)
        }
        func prefixes() -> [Prefix] {
            var prefixes = Set<Prefix>()
            for _ in 0..<number(below: 20) {
                let address = address()
                let length = address.family == .ipv4 ? number(below: 9) : 55 + number(below: 10)
                prefixes.insert(Prefix(covering: address, length: Int(length)))
            }
            return Array(prefixes)
        }
        var builder = AccessListsBuilder()
        let services = try (0..<100).map { _ in
            let access = try ClientAccess(allow: prefixes(), deny: prefixes())
            return (access: access, number: builder.add(access))
        }
        let lists = builder.build()
        defer { lists.free() }
        for (access, number) in services {
            for _ in 0..<200 {
                let client = address()
                #expect(lists.admits(client, by: number) == access.admits(client), "\(client), \(access)")
            }
        }
    }

    @Test func `that are equal are kept once`() throws {
        var builder = AccessListsBuilder()
        let first = builder.add(try ClientAccess(allow: [Prefix("10.0.0.0/8")]))
        #expect(builder.add(try ClientAccess(allow: [Prefix("10.0.0.0/8")])) == first)
        #expect(builder.add(try ClientAccess(deny: [Prefix("10.0.0.0/8")])) != first)
        #expect(builder.add(.open) == AccessLists.open)
    }
}
