import Domain
import Testing
import Wire

@testable import Channel
@testable import Fleet

/// A real publisher on a real socket, and clients that speak frames.
@Suite(.timeLimit(.minutes(10))) struct `Publisher` {
    let za1: ServerName
    let ie1: ServerName

    init() throws {
        za1 = try ServerName("za1")
        ie1 = try ServerName("ie1")
    }

    @Test func `sends everything to a data plane that has nothing, then differences`() async throws {
        var history = try FleetHistory()
        let start = history.fleet
        let change = try history.cutOver(0, toOrigin: 7)
        let end = history.fleet
        try await withPublisher(start) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                let first = try await client.applyNext()
                #expect(!first.hasBase)
                #expect(client.current?.version == start.version)
                await publisher.publish(change)
                let second = try await client.applyNext()
                #expect(second.base == start.version.number)
                #expect(second.services.count == 1)
                #expect(client.current == (try `Snapshot builder`.rebuilt(end)[za1]))
                let statuses = await publisher.waitUntilApplied(
                    end.version, by: [za1, ie1], timeout: patience)
                #expect(statuses[za1]?.appliedVersion == end.version)
                #expect(statuses[za1]?.connected == true)
                #expect(statuses[ie1]?.connected == false)
            }
        }
    }

    @Test func `gives a data plane that reconnects with a known version the difference from it`() async throws {
        var history = try FleetHistory()
        let held = try #require(`Snapshot builder`.rebuilt(history.fleet)[za1])
        let recent = try (1...5).map { try history.cutOver(0, toOrigin: $0) }
        let end = history.fleet
        try await withPublisher(end, recent: recent) { _, path in
            try await ChannelClient.connected(to: path) { client in
                client.current = held
                try await client.hello(za1)
                let message = try await client.applyNext()
                #expect(message.base == held.version.number)
                #expect(message.services.count == 1)
                #expect(client.current == (try `Snapshot builder`.rebuilt(end)[za1]))
            }
        }
    }

    @Test func `gives everything for a version that is forgotten, and for a digest that is not ours`() async throws {
        var history = try FleetHistory()
        let held = try #require(`Snapshot builder`.rebuilt(history.fleet)[za1])
        let recent = try (1...5).map { try history.cutOver(0, toOrigin: $0) }
        let end = history.fleet
        try await withPublisher(end, recent: recent, log: ChangeLog(mostChanges: 2)) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                client.current = held
                try await client.hello(za1)
                #expect(try await client.applyNext().hasBase == false)
            }
            try await ChannelClient.connected(to: path) { client in
                let wrong = Hello.Holding(incarnation: end.incarnation, version: end.version, digest: .zero)
                try await client.hello(ie1, holding: wrong)
                #expect(try await client.nextSnapshot().hasBase == false)
                #expect(await publisher.status(of: ie1).appliedVersion == nil)
            }
        }
    }

    @Test func `shows a refusal, and sends the next version from what the data plane still has`() async throws {
        var history = try FleetHistory()
        let start = history.fleet
        let changes = try (1...2).map { try history.cutOver(0, toOrigin: $0) }
        try await withPublisher(start) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                await publisher.publish(changes[0])
                // First the difference, and then, in case that only this did not fit, everything.
                for base in [start.version.number, nil] {
                    let refused = try await client.nextSnapshot()
                    #expect((refused.hasBase ? refused.base : nil) == base)
                    try await client.send(.refused(SnapshotVersion(refused.version), reasons: ["one", "two"]))
                }
                let statuses = await publisher.waitUntilApplied(
                    changes[0].version, by: [za1], timeout: patience)
                #expect(statuses[za1]?.appliedVersion == start.version)
                #expect(statuses[za1]?.refusal?.version == changes[0].version)
                #expect(statuses[za1]?.refusal?.reasons == ["one", "two"])
                await publisher.publish(changes[1])
                let next = try await client.applyNext()
                #expect(next.base == start.version.number)
                try await eventually("the refusal is over") { await publisher.status(of: za1).refusal == nil }
            }
        }
    }

    @Test func `what a data plane had applied before it was restarted says nothing of it now`() async throws {
        let history = try FleetHistory()
        let start = history.fleet
        try await withPublisher(start) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                try await eventually("it has applied") { await publisher.status(of: za1).appliedVersion != nil }
            }
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                let whole = try await client.nextSnapshot()
                #expect(await publisher.status(of: za1).appliedVersion == nil)
                try await client.send(.refused(SnapshotVersion(whole.version), reasons: ["no"]))
                let statuses = await publisher.waitUntilApplied(
                    start.version, by: [za1], timeout: patience)
                #expect(statuses[za1]?.appliedVersion == nil)
                #expect(statuses[za1]?.refusal?.version == start.version)
            }
        }
    }

    @Test func `a server that has only just gone is waited for, and counts when it is back`() async throws {
        var history = try FleetHistory()
        let start = history.fleet
        let change = try history.cutOver(0, toOrigin: 1)
        try await withPublisher(start) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                try await eventually("it has applied") { await publisher.status(of: za1).appliedVersion != nil }
            }
            try await eventually("it has gone") { await !publisher.status(of: za1).connected }
            await publisher.publish(change)
            try await ChannelClient.connected(to: path) { client in
                async let waited = publisher.waitUntilApplied(change.version, by: [za1], timeout: patience)
                try await client.hello(za1)
                try await client.applyNext()
                let statuses = await waited
                #expect(statuses[za1]?.appliedVersion == change.version)
            }
        }
    }

    @Test func `lets a data plane of another store refuse, once`() async throws {
        var history = try FleetHistory()
        let start = history.fleet
        let change = try history.cutOver(0, toOrigin: 1)
        try await withPublisher(start) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                let foreign = Hello.Holding(
                    incarnation: Incarnation(99), version: SnapshotVersion(1), digest: Digest(bits: 1))
                try await client.hello(za1, holding: foreign)
                let whole = try await client.nextSnapshot()
                #expect(!whole.hasBase)
                #expect(whole.incarnation == FleetHistory.incarnation.number)
                try await client.send(.refused(SnapshotVersion(whole.version), reasons: ["another store"]))
                await publisher.publish(change)
                let statuses = await publisher.waitUntilApplied(
                    change.version, by: [za1], timeout: patience)
                #expect(statuses[za1]?.refusal?.version == change.version)
                #expect(statuses[za1]?.refusal?.reasons == ["another store"])
                #expect(statuses[za1]?.appliedVersion == nil)
            }
        }
    }

    @Test func `sends the newest version only, after a burst`() async throws {
        var history = try FleetHistory()
        let start = history.fleet
        let changes = try (1...50).map { try history.cutOver($0 % 8, toOrigin: $0) }
        let end = history.fleet
        try await withPublisher(start) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                let first = try await client.nextSnapshot()
                for change in changes { await publisher.publish(change) }
                client.current = try SnapshotContent(first).applied(to: nil)
                try await client.send(.applied(SnapshotVersion(first.version)))
                let second = try await client.applyNext()
                #expect(second.version == end.version.number)
                #expect(client.current == (try `Snapshot builder`.rebuilt(end)[za1]))
            }
        }
    }

    @Test func `waits for those that are connected, and no longer than it should`() async throws {
        var history = try FleetHistory()
        let start = history.fleet
        let change = try history.cutOver(0, toOrigin: 1)
        let (za1, ie1) = (za1, ie1)
        try await withPublisher(start) { publisher, path in
            let clock = ContinuousClock()
            let nobody = await clock.measure {
                _ = await publisher.waitUntilApplied(SnapshotVersion(1), by: [za1, ie1], timeout: patience)
            }
            #expect(nobody < patience)
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                await publisher.publish(change)
                _ = try await client.nextSnapshot()
                let silent = await clock.measure {
                    let statuses = await publisher.waitUntilApplied(
                        change.version, by: [za1], timeout: .milliseconds(200))
                    #expect(statuses[za1]?.appliedVersion == start.version)
                }
                #expect(silent >= .milliseconds(200))
                async let answered = publisher.waitUntilApplied(
                    change.version, by: [za1], timeout: patience)
                try await client.send(.applied(change.version))
                let statuses = await answered
                #expect(statuses[za1]?.appliedVersion == change.version)
            }
            try await eventually("it is gone") { await !publisher.status(of: za1).connected }
            #expect(await publisher.status(of: za1).appliedVersion == change.version)
        }
    }

    @Test func `takes an answer for what was asked alone`() async throws {
        let fleet = try FleetHistory().fleet
        let za1 = za1
        try await withPublisher(fleet) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                let query = try FlowQuery()
                async let answer = publisher.listFlows(query, on: za1, timeout: patience)
                guard case .command(let command) = try await client.nextMessage() else {
                    throw ChannelClient.Failure.closed
                }
                // For a command that nobody has given, and then of another kind than the command.
                let list = FlowList(flows: [], matching: 3, isComplete: true)
                try await client.send(.flowList(WireFlowList(command: command.id + 1, list)))
                var check = WireEndpointCheck()
                check.command = command.id
                try await client.send(.endpointCheck(check))
                do {
                    _ = try await answer
                    Issue.record("an endpoint check was taken for a list of flows")
                } catch {
                    #expect(error as? CommandFailure == .refused("its answer is no list of flows"))
                }
            }
        }
    }

    @Test func `asks a data plane to check an endpoint, to drain and to take traffic again`() async throws {
        let fleet = try FleetHistory().fleet
        let target = EndpointTarget(host: try EndpointHost("origin.acme.example"))
        let za1 = za1
        try await withPublisher(fleet) { publisher, path in
            await #expect(throws: CommandFailure.disconnected) {
                try await publisher.checkEndpoint(target, on: za1, timeout: patience)
            }
            await #expect(throws: CommandFailure.disconnected) { try await publisher.setDraining(true, on: za1) }
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                async let answer = publisher.checkEndpoint(target, on: za1, timeout: patience)
                guard case .command(let command) = try await client.nextMessage() else {
                    throw ChannelClient.Failure.closed
                }
                #expect(try EndpointTarget(command.checkEndpoint.target) == target)
                var check = WireEndpointCheck()
                check.command = command.id
                check.ttlSeconds = 30
                check.resolveMicroseconds = UInt64.max
                var attempt = WireAttempt()
                attempt.address = "192.0.2.1"
                attempt.port = 443
                attempt.error = "refused"
                attempt.connectMicroseconds = 1500
                check.attempts = [attempt]
                try await client.send(.endpointCheck(check))
                let seen = try await answer
                #expect(seen.timeToLive == .seconds(30))
                #expect(seen.attempts.first?.connectTime == .microseconds(1500))

                await #expect(throws: CommandFailure.timedOut) {
                    try await publisher.checkEndpoint(target, on: za1, timeout: .milliseconds(50))
                }
                _ = try await client.nextMessage()
                try await publisher.setDraining(true, on: za1)
                guard case .command(let drain) = try await client.nextMessage() else {
                    throw ChannelClient.Failure.closed
                }
                #expect(drain.command == .drain(WireDrain()))
                var load = WireLoad()
                load.draining = true
                load.connectionsOpen = 3
                try await client.send(.load(load))
                try await eventually("it drains") { await publisher.status(of: za1).draining }
                #expect(await publisher.status(of: za1).connectionsOpen == 3)
            }
        }
    }

    @Test func `tells a data plane whose server is removed, and forgets it`() async throws {
        var history = try FleetHistory(services: 0)
        let start = history.fleet
        let removal = history.commit([.server(za1, before: start.servers[za1], after: nil)])
        try await withPublisher(start) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                await publisher.publish(removal)
                #expect(try await client.goodbye() == "server za1 has been removed")
                try await client.untilClosed()
                #expect(await publisher.statuses()[za1] == nil)
            }
        }
    }
}
