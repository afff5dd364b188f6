import Domain
import Synchronization
import Testing

@testable import DNS
@testable import Failover

@Suite(.timeLimit(.minutes(10))) struct `An attempt at a zone` {
    private let fleet: SmallFleet
    private let provider = MemoryZone()
    private let app: DomainName
    private let shop: DomainName
    private static let foreign = RecordSet(.cname, timeToLive: 60, values: ["elsewhere.test"])

    init() throws {
        fleet = try SmallFleet("app", "shop")
        app = try DomainName("app.acme.test")
        shop = try DomainName("shop.acme.test")
        provider[app] = [Laboratory.before]
        provider[shop] = [Laboratory.before]
    }

    private func work(isInDoubt: Bool = false) throws -> Failover.ZoneWork {
        var work = try fleet.failover(1, "app", "shop").zones[0]
        if isInDoubt {
            work.attempts = 1
            work.isInDoubt = true
        }
        return work
    }

    /// What the writer reports, and what it throws in the end.
    private func facts(of work: Failover.ZoneWork) async -> (facts: [ZoneWriter.Fact], failure: DNSFailure?) {
        let facts = Mutex([ZoneWriter.Fact]())
        let provider = provider
        do {
            try await ZoneWriter(calls: ProviderCalls { _ in provider }).attempt(work, in: fleet.zone) { fact in
                facts.withLock { $0.append(fact) }
            }
            return (facts.withLock { $0 }, nil)
        } catch {
            return (facts.withLock { $0 }, error as? DNSFailure)
        }
    }

    @Test func `says that it asks before it does, and what was written`() async throws {
        let (facts, failure) = await facts(of: try work())
        #expect(facts == [.asking(attempt: 1, changes: 2), .written(how: "written")])
        #expect(failure == nil)
        #expect(provider.writes == 1)
    }

    @Test func `asks for nothing that could not be noted before`() async throws {
        struct NotStored: Error {}
        let (provider, work, zone) = (provider, try work(), fleet.zone)
        await #expect(throws: NotStored.self) {
            try await ZoneWriter(calls: ProviderCalls { _ in provider }).attempt(work, in: zone) { _ in
                throw NotStored()
            }
        }
        #expect(provider.calls == 0)
    }

    @Test func `in doubt, finds a change that was made, and does not repeat it`() async throws {
        for name in [app, shop] { provider[name] = [Laboratory.after] }
        let (facts, _) = await facts(of: try work(isInDoubt: true))
        #expect(facts == [.written(how: "found as it was to be")])
        #expect(provider.calls == 0)
    }

    @Test func `in doubt, asks for the rest only`() async throws {
        provider[app] = [Laboratory.after]
        let (facts, _) = await facts(of: try work(isInDoubt: true))
        #expect(facts == [.asking(attempt: 2, changes: 1), .written(how: "written")])
        #expect(provider[shop] == [Laboratory.after])
    }

    @Test func `that certainly changed nothing leaves no doubt, and one that may have leaves it`() async throws {
        provider.fail(.refuses)
        let refused = await facts(of: try work())
        #expect(refused.facts == [.asking(attempt: 1, changes: 2), .notMade])
        #expect(refused.failure?.kind == .unavailable)
        provider.fail(.losesAnswer)
        let lost = await facts(of: try work())
        #expect(lost.facts == [.asking(attempt: 1, changes: 2)])
        #expect(lost.failure?.mayHaveHappened == true)
    }

    @Test func `names the records that are somebody else's, and leaves the rest to the next attempt`() async throws {
        provider[shop] = [Self.foreign]
        let (facts, failure) = await facts(of: try work())
        #expect(facts.count == 2)
        guard case .foreign(let records, let foreign)? = facts.last else {
            Issue.record("no foreign records: \(facts)")
            return
        }
        #expect(records.map(\.isConflict) == [false, true])
        #expect(foreign.map(\.service.text) == ["shop"])
        #expect(
            foreign.first?.finding
                == "shop.acme.test is CNAME 60 elsewhere.test, which is not what was expected (CNAME 5 za1.dfree.test); "
                + "it is left as it is"
        )
        #expect(failure?.kind == .unavailable, "so that the zone is tried again")
        #expect(provider.writes == 0)
    }

    @Test func `ends the zone when none of its records is ours any more`() async throws {
        for name in [app, shop] { provider[name] = [Self.foreign] }
        let (facts, failure) = await facts(of: try work())
        #expect(facts.last == .conflicted)
        #expect(failure == nil)
        #expect(provider[app] == [Self.foreign])
    }

    @Test func `ends the zone when a conflict shows that everything is as it was to be`() async throws {
        for name in [app, shop] { provider[name] = [Laboratory.after] }
        let (facts, _) = await facts(of: try work())
        #expect(facts == [.asking(attempt: 1, changes: 2), .written(how: "written before")])
        #expect(provider.writes == 0)
    }
}

@Suite struct `Zone work` {
    @Test func `a name of which nothing is known is neither ours nor somebody else's`() throws {
        var work = try SmallFleet("app").failover(1, "app").zones[0]
        let (foreign, isDone) = work.markForeign([:])
        #expect(foreign.isEmpty)
        #expect(!isDone)
        #expect(work.openChanges.count == 1)
    }

    @Test func `a name that says nothing is not as it was expected`() throws {
        var work = try SmallFleet("app").failover(1, "app").zones[0]
        let (foreign, isDone) = work.markForeign([try DomainName("app.acme.test"): []])
        #expect(foreign.first?.finding.contains("app.acme.test is nothing, which is not") == true)
        #expect(!isDone)
        #expect(work.openChanges.isEmpty)
    }
}
