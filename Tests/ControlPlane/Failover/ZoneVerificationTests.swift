import Domain
import Synchronization
import Testing

@testable import DNS
@testable import Failover

@Suite struct `Verifying a zone` {
    /// What each authoritative server says, by its port, and what it was asked for.
    private final class Authorities: Sendable {
        private let state = Mutex((answers: [UInt16: MemoryZone](), asked: [String]()))

        func set(_ zone: MemoryZone, at server: AuthoritativeServer) {
            state.withLock { $0.answers[server.address.port] = zone }
        }

        var asked: [String] { state.withLock { $0.asked } }

        func ask(_ server: AuthoritativeServer, _ name: DomainName, _ type: RecordType) -> AuthorityAnswer {
            let zone = state.withLock { state in
                state.asked.append("\(name) \(type.rawValue)")
                return state.answers[server.address.port]
            }
            guard let zone else { return .failure("no answer") }
            return .records(zone[name].filter { $0.type == type })
        }
    }

    private let authorities = Authorities()
    private let name: DomainName

    init() throws { name = try DomainName("app.acme.test") }

    private func server(_ port: UInt16) -> AuthoritativeServer {
        AuthoritativeServer(address: TransportAddress(Address(ipv4: 0x7F00_0001), port: port))
    }

    private func verification(
        _ servers: [AuthoritativeServer], _ changes: [RecordChange]? = nil
    ) -> ZoneVerification {
        let authorities = authorities
        return ZoneVerification(
            of: changes ?? [RecordChange(name: name, expected: [Laboratory.before], wanted: [Laboratory.after])],
            at: servers
        ) { authorities.ask($0, $1, $2) }
    }

    @Test func `is complete when every server answers the change, and who has answered is not asked again`() async {
        authorities.set(MemoryZone([name: [Laboratory.after]]), at: server(1))
        authorities.set(MemoryZone([name: [Laboratory.before]]), at: server(2))
        var verification = verification([server(1), server(2)])
        #expect(!verification.isComplete)
        let first = await verification.askPending()
        #expect(first.first { $0.place == 0 }?.agrees == true)
        #expect(first.first { $0.place == 1 }?.detail == "app.acme.test: CNAME za1.dfree.test")
        #expect(!verification.isComplete)
        authorities.set(MemoryZone([name: [Laboratory.after]]), at: server(2))
        #expect(await verification.askPending().map(\.place) == [1])
        #expect(verification.isComplete)
        #expect(await verification.askPending() == [])
    }

    @Test func `a server that gives no answer has not answered the change`() async {
        var verification = verification([server(1)])
        #expect(await verification.askPending().map(\.detail) == ["app.acme.test: no answer"])
        #expect(!verification.isComplete)
    }

    @Test func `addresses of a family that the standby does not have have to be gone`() async {
        let old = [
            RecordSet(.a, timeToLive: 5, values: ["192.0.2.1"]), RecordSet(.aaaa, timeToLive: 5, values: ["::1"]),
        ]
        let new = [RecordSet(.a, timeToLive: 5, values: ["192.0.2.2"])]
        let zone = MemoryZone([name: new + [old[1]]])
        authorities.set(zone, at: server(1))
        var verification = verification([server(1)], [RecordChange(name: name, expected: old, wanted: new)])
        #expect(await verification.askPending().map(\.detail) == ["app.acme.test: AAAA ::1"])
        zone[name] = new
        #expect(await verification.askPending().map(\.agrees) == [true])
    }

    @Test func `a server that is behind for three names is asked for no more of them, and for all of them again`()
        async throws
    {
        let names = try (0..<10).map { try DomainName("n\($0).acme.test") }
        let changes = names.map { RecordChange(name: $0, expected: [Laboratory.before], wanted: [Laboratory.after]) }
        let zone = MemoryZone(Dictionary(uniqueKeysWithValues: names.map { ($0, [Laboratory.before]) }))
        authorities.set(zone, at: server(1))
        var verification = verification([server(1)], changes)
        _ = await verification.askPending()
        #expect(authorities.asked.count == 3)
        for name in names { zone[name] = [Laboratory.after] }
        _ = await verification.askPending()
        #expect(authorities.asked.count == 13)
        #expect(verification.isComplete)
    }
}
