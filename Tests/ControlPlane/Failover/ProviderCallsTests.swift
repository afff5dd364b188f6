import Domain
import Synchronization
import Testing

@testable import DNS
@testable import Failover

@Suite(.timeLimit(.minutes(10))) struct `Calls of providers` {
    private final class Counts: Sendable {
        private let counts = Mutex((now: 0, most: 0))

        var now: Int { counts.withLock { $0.now } }
        var most: Int { counts.withLock { $0.most } }

        func enter() {
            counts.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
        }

        func leave() { counts.withLock { $0.now -= 1 } }
    }

    private func zone(_ name: String, at command: String) throws -> Zone {
        try Zone(name: DomainName(name), provider: .command(CommandName(command)))
    }

    @Test func `are eight at a time of one server, whatever the zone, and hold up no other server`() async throws {
        let calls = ProviderCalls { _ in MemoryZone() }
        let busy = try (0..<3).map { try zone("busy\($0).test", at: "busy") }
        let idle = try zone("idle.test", at: "idle")
        let inside = Counts()
        let (opened, open) = AsyncStream<Void>.makeStream()
        try await withThrowingDiscardingTaskGroup { group in
            for number in 0..<20 {
                let zone = busy[number % busy.count]
                group.addTask {
                    try await calls.to(zone) { _ in
                        inside.enter()
                        for await _ in opened {}
                        inside.leave()
                    }
                }
            }
            try await eventually("eight are inside") { inside.now >= ProviderCalls.mostOfOne }
            #expect(try await calls.to(idle) { _ in "answered" } == "answered")
            #expect(await calls.busyPlaces == 1, "a server that is called no more is forgotten")
            open.finish()
        }
        #expect(await calls.busyPlaces == 0)
        #expect(inside.most == ProviderCalls.mostOfOne)
    }

    @Test func `go to the provider of the zone, and throw what that throws`() async throws {
        let name = try DomainName("app.acme.test")
        let (acme, other) = (MemoryZone([name: [Laboratory.before]]), MemoryZone([name: [Laboratory.after]]))
        let calls = ProviderCalls { $0.name.text == "acme.test" ? acme : other }
        let found = try await calls.to(try zone("acme.test", at: "a")) { try await $0.present([name]) }
        #expect(found == [name: [Laboratory.before]])
        let failure = DNSFailure(kind: .refused, reason: "no")
        let another = try zone("other.test", at: "a")
        await #expect(throws: failure) { try await calls.to(another) { _ in throw failure } }
    }
}
