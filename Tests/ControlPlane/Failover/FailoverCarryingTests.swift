import Domain
import Foundation
import Testing

@testable import DNS
@testable import Failover
@testable import Notices

@Suite(.timeLimit(.minutes(10))) struct `Carrying out a failover` {
    @Test func `the record is written once, verified, and the service is where it went`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            try await laboratory.withRunning(service) {
                let id = try await laboratory.order(service)
                let failover = try await laboratory.await(id) { $0.stage == .following }
                #expect(failover.moves.map(\.state) == [.written])
                #expect(failover.zones.first?.verifiedAt != nil)
                #expect(failover.zones.first?.authorities.first?.agreesAt != nil)
            }
            #expect(laboratory.zone[laboratory.name] == [Laboratory.after])
            #expect(laboratory.zone.writes == 1)
            let records = try await FailoverJournal(store: laboratory.bench.store).records()
            #expect(records.placements.values.map(\.server.text) == ["ie1"])
            #expect(records.decisions.isEmpty)
        }
    }

    @Test func `killed right after the decision, the next control plane carries it out`() async throws {
        try await Laboratory.run { laboratory in
            let first = try await laboratory.controlPlane()
            let id = try await laboratory.order(first)
            #expect(try await laboratory.stored(id).stage == .decided)
            let second = try await laboratory.controlPlane()
            try await laboratory.withRunning(second) {
                _ = try await laboratory.await(id) { $0.stage == .following }
            }
            #expect(laboratory.zone.writes == 1)
        }
    }

    @Test func `an order right after a change means what is there after it`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            let za1 = try ServerName("za1")
            #expect(await service.plan(leaving: za1).services.map(\.service.text) == ["acme-app"])
            let added = try await laboratory.bench.post(
                "/services",
                #"{"name":"shop","customer":"acme","clientDomains":["www.acme.test"],"endpoint":{"host":"origin.acme.example"},"primary":"za1","standbys":["ie1"],"dns":[{"zone":"acme.test","name":"www.acme.test","kind":"cname","ttl":5}]}"#
            )
            #expect(added.status == 201, "\(added.text)")
            #expect(await service.plan(leaving: za1).services.map(\.service.text) == ["acme-app", "shop"])
        }
    }

    @Test func `whoever is killed right after a step has told of it: the alert stands with it in the store`()
        async throws
    {
        try await Laboratory.run { laboratory in
            try await laboratory.addWebhook()
            let first = try await laboratory.controlPlane()
            let id = try await laboratory.order(first)
            #expect(try await laboratory.alerts == ["failover.decided of 1"])
            let second = try await laboratory.controlPlane()
            try await laboratory.withRunning(second) {
                _ = try await laboratory.await(id) { $0.stage == .following }
            }
            #expect(try await laboratory.alerts == ["failover.decided of 1", "failover.verified of 1"])
            #expect(laboratory.said(.failoverDecided).count == 2, "who follows the events sees that it is gone on with")
        }
    }

    @Test func `killed when the change was made and nobody knew, the next one finds it made and does not repeat it`()
        async throws
    {
        try await Laboratory.run { laboratory in
            laboratory.zone.fail(.losesAnswer, .hangs)
            let first = try await laboratory.controlPlane()
            try await laboratory.withRunning(first) {
                _ = try await laboratory.order(first)
                try await eventually("the change is made") { laboratory.zone.writes == 1 }
            }
            let second = try await laboratory.controlPlane()
            try await laboratory.withRunning(second) {
                _ = try await laboratory.await(FailoverID(number: 1)) { $0.stage == .following }
            }
            #expect(laboratory.zone.writes == 1)
            #expect(laboratory.zone[laboratory.name] == [Laboratory.after])
        }
    }

    @Test func `killed while the change was asked for and not made, the next one makes it`() async throws {
        try await Laboratory.run { laboratory in
            laboratory.zone.fail(.hangs)
            let first = try await laboratory.controlPlane()
            try await laboratory.withRunning(first) {
                let id = try await laboratory.order(first)
                try await eventually("the change is asked for") { laboratory.zone.calls == 1 }
                #expect(try await laboratory.stored(id).zones.first?.isInDoubt == true, "that was stored before")
            }
            #expect(laboratory.zone.writes == 0)
            let second = try await laboratory.controlPlane()
            try await laboratory.withRunning(second) {
                _ = try await laboratory.await(FailoverID(number: 1)) { $0.stage == .following }
            }
            #expect(laboratory.zone.writes == 1)
        }
    }

    @Test func `a provider that refuses for a while is asked until it does not`() async throws {
        try await Laboratory.run { laboratory in
            laboratory.zone.fail(.refuses, .refuses)
            let service = try await laboratory.controlPlane()
            try await laboratory.withRunning(service) {
                let id = try await laboratory.order(service)
                let failover = try await laboratory.await(id) { $0.stage == .following }
                #expect(failover.zones.first?.attempts == 3)
            }
            #expect(laboratory.zone.writes == 1)
        }
    }

    @Test func `what somebody else has written meanwhile is left as it is, and the decision ends`() async throws {
        try await Laboratory.run { laboratory in
            let foreign = RecordSet(.cname, timeToLive: 60, values: ["elsewhere.test"])
            let service = try await laboratory.controlPlane()
            // Decided when the record was still ours.
            let id = try await laboratory.order(service)
            laboratory.zone[laboratory.name] = [foreign]
            try await laboratory.withRunning(service) {
                let failover = try await laboratory.await(id) { $0.stage.isOver }
                #expect(failover.stage == .conflicted)
                #expect(failover.moves.map(\.state) == [.conflict])
            }
            #expect(laboratory.zone[laboratory.name] == [foreign])
            #expect(laboratory.zone.writes == 0)
            let records = try await FailoverJournal(store: laboratory.bench.store).records()
            #expect(records.decisions.isEmpty)
            #expect(records.placements.isEmpty)
        }
    }

    @Test func `two decisions about one service cannot be in force`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            // Another process, which began before and knows nothing of it: the store alone stands in its way.
            let other = try await laboratory.controlPlane()
            _ = try await laboratory.order(service)
            await #expect(throws: FailoverRefusal.self) { try await laboratory.order(service) }
            await #expect(throws: FailoverRefusal.self) { try await laboratory.order(other) }
        }
    }

    @Test func `while the fleet is frozen an order is refused, and says by whom`() async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            try await service.freeze(Freeze(since: Date(), until: Date() + 60, reason: "maintenance", author: "bob"))
            let refusal = await #expect(throws: FailoverRefusal.self) { try await laboratory.order(service) }
            #expect(refusal?.reason.contains("frozen by bob") == true)
            let next = try await laboratory.controlPlane()
            await #expect(throws: FailoverRefusal.self) { try await laboratory.order(next) }
        }
    }
}

@Suite(.timeLimit(.minutes(10))) struct `A service that has been moved` {
    private func moved(_ body: @escaping @Sendable (Laboratory) async throws -> Void) async throws {
        try await Laboratory.run { laboratory in
            let service = try await laboratory.controlPlane()
            try await laboratory.withRunning(service) {
                let id = try await laboratory.order(service)
                _ = try await laboratory.await(id) { $0.stage == .following }
            }
            try await body(laboratory)
        }
    }

    @Test func `cannot lose the server that devices are led to`() async throws {
        try await moved { laboratory in
            let answer = try await laboratory.bench.patch("/services/acme-app", #"{"standbys":[]}"#)
            #expect(answer.status == 409)
            #expect(answer.text.contains("led to server ie1 since failover 1"))
        }
    }

    @Test func `and deleted is nowhere: one of its name that comes later begins at its primary`() async throws {
        try await moved { laboratory in
            let answer = try await laboratory.bench.delete("/services/acme-app")
            #expect(answer.status == 204)
            let records = try await FailoverJournal(store: laboratory.bench.store).records()
            #expect(records.placements.isEmpty)
        }
    }
}

@Suite(.timeLimit(.minutes(10))) struct `A failover of several names` {
    @Test func `asks for the rest when somebody has made half of the change already`() async throws {
        try await Laboratory.run(["app", "www"]) { laboratory in
            let service = try await laboratory.controlPlane()
            let id = try await laboratory.order(service)
            laboratory.zone[laboratory.name] = [Laboratory.after]
            try await laboratory.withRunning(service) {
                let failover = try await laboratory.await(id) { $0.stage == .following }
                #expect(failover.moves.map(\.state) == [.written])
            }
            #expect(laboratory.zone[laboratory.secondName] == [Laboratory.after])
            #expect(laboratory.zone.writes == 1)
        }
    }

    @Test func `leaves a foreign one as it is, and the service is where its other names lead`() async throws {
        try await Laboratory.run(["app", "www"]) { laboratory in
            let foreign = RecordSet(.cname, timeToLive: 60, values: ["elsewhere.test"])
            let service = try await laboratory.controlPlane()
            let id = try await laboratory.order(service)
            laboratory.zone[laboratory.secondName] = [foreign]
            try await laboratory.withRunning(service) {
                let failover = try await laboratory.await(id) { $0.stage == .following }
                #expect(failover.moves.map(\.state) == [.conflict])
            }
            #expect(laboratory.zone[laboratory.name] == [Laboratory.after])
            #expect(laboratory.zone[laboratory.secondName] == [foreign])
            #expect(try await laboratory.placement == "ie1")
            let answer = try await laboratory.bench.patch("/services/acme-app", #"{"standbys":[]}"#)
            #expect(answer.status == 409)
        }
    }

    @Test func `has a zone that refuses hold up no other: that is proven meanwhile`() async throws {
        try await Laboratory.run(["app", "example"]) { laboratory in
            let service = try await laboratory.controlPlane()
            laboratory.other.fail(.hangs)
            let id = try await laboratory.order(service)
            try await laboratory.withRunning(service) {
                let failover = try await laboratory.await(id) { failover in
                    failover.zones.contains { $0.zone.text == "acme.test" && $0.verifiedAt != nil }
                }
                #expect(failover.stage == .writing)
                // The service is in both, and so on its way still.
                #expect(failover.moves.map(\.state) == [.pending])
                let answer = try await laboratory.bench.patch("/services/acme-app", #"{"standbys":[]}"#)
                #expect(answer.status == 409, "its records are about to lead to ie1")
            }
        }
    }

    @Test func `forced, replaces what is there, on the word of somebody who has looked`() async throws {
        try await Laboratory.run { laboratory in
            laboratory.zone[laboratory.name] = [RecordSet(.cname, timeToLive: 60, values: ["elsewhere.test"])]
            let service = try await laboratory.controlPlane()
            try await laboratory.withRunning(service) {
                let id = try await laboratory.order(service)
                _ = try await laboratory.await(id) { $0.stage == .following }
            }
            #expect(laboratory.zone[laboratory.name] == [Laboratory.after])
        }
    }
}
