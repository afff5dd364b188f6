import Domain
import Testing
import Wire

@testable import Channel
@testable import Probing

/// Data planes as vantages: what they are asked to probe, and what becomes of what they see.
@Suite(.timeLimit(.minutes(10))) struct `Publisher and probes` {
    let za1: ServerName
    let ie1: ServerName

    init() throws {
        za1 = try ServerName("za1")
        ie1 = try ServerName("ie1")
    }

    static func target(_ name: String, checks: [String] = []) throws -> ProbeTarget {
        ProbeTarget(
            server: try ServerName(name), hostname: try DomainName("\(name).dfree.test"),
            addresses: [try Address("203.0.113.1")], httpPort: .http, httpsPort: .https, interval: .seconds(2),
            timeout: .seconds(1),
            checks: try checks.map {
                ProbeCheck(
                    service: try ServiceName($0), host: try DomainName("app.acme.example"), path: "/", usesTLS: true)
            })
    }

    static func nextWatch(_ client: ChannelClient) async throws -> [String] {
        let message = try await client.nextMessage()
        guard case .command(let command) = message, case .watch(let watch)? = command.command else {
            throw ChannelClient.Failure.unexpected("\(message)")
        }
        return watch.targets.map(\.server)
    }

    static func probe(_ server: String, service: String = "", error: String = "", accepted: Bool = false) -> WireProbe {
        var probe = WireProbe()
        probe.server = server
        probe.service = service
        probe.error = error
        probe.accepted = accepted
        probe.durationMicroseconds = 1500
        return probe
    }

    static func frame(_ observation: WireObservation) -> WireFrame {
        var frame = WireFrame()
        frame.message = .observation(observation)
        return frame
    }

    static func frame(_ probes: [WireProbe]) -> WireFrame {
        var observation = WireObservation()
        observation.probes.probes = probes
        return frame(observation)
    }

    @Test func `a data plane is told what to probe when its session begins, after its configuration`() async throws {
        let (za1, ie1) = (za1, ie1)
        try await withPublisher(try FleetHistory().fleet) { publisher, path in
            await publisher.watch([za1: [try `Publisher and probes`.target("ie1", checks: ["service-0"])], ie1: []])
            for _ in 0..<2 {
                try await ChannelClient.connected(to: path) { client in
                    try await client.hello(za1)
                    try await client.applyNext()
                    #expect(try await `Publisher and probes`.nextWatch(client) == ["ie1"])
                }
            }
            // One that has nothing to probe is told nothing.
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(ie1)
                try await client.applyNext()
                try await publisher.setDraining(true, on: ie1)
                guard case .command(let command) = try await client.nextMessage() else {
                    throw ChannelClient.Failure.closed
                }
                #expect(command.command == .drain(WireDrain()))
            }
        }
    }

    @Test func `a data plane is told anew when its list changes, and only then`() async throws {
        let (za1, ie1) = (za1, ie1)
        try await withPublisher(try FleetHistory().fleet) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                let (us1, in1) = (try `Publisher and probes`.target("us1"), try `Publisher and probes`.target("in1"))
                await publisher.watch([za1: [us1]])
                #expect(try await `Publisher and probes`.nextWatch(client) == ["us1"])
                await publisher.watch([za1: [us1], ie1: [in1]])
                await publisher.watch([za1: [us1, in1], ie1: [in1]])
                #expect(try await `Publisher and probes`.nextWatch(client) == ["us1", "in1"])
                await publisher.watch([ie1: [in1]])
                #expect(try await `Publisher and probes`.nextWatch(client) == [])
                await publisher.watch([:])
                try await publisher.setDraining(true, on: za1)
                guard case .command(let command) = try await client.nextMessage() else {
                    throw ChannelClient.Failure.closed
                }
                #expect(command.command == .drain(WireDrain()))
            }
        }
    }

    @Test func `what a data plane saw is passed on as the word of its server`() async throws {
        let za1 = za1
        try await withPublisher(try FleetHistory().fleet) { publisher, path in
            await publisher.watch([za1: [try `Publisher and probes`.target("ie1", checks: ["service-0"])]])
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                try await client.send(
                    `Publisher and probes`.frame([
                        `Publisher and probes`.probe("ie1", error: "203.0.113.1:443: refused", accepted: true),
                        `Publisher and probes`.probe("ie1", service: "service-0"),
                    ]))
                var outcomes = publisher.probes.makeAsyncIterator()
                let missed = try #require(await outcomes.next())
                #expect(missed.server.text == "ie1")
                #expect(missed.service == nil)
                #expect(missed.vantage == .server(za1))
                #expect(missed.error == "203.0.113.1:443: refused")
                #expect(missed.duration == .microseconds(1500))
                #expect(missed.accepted)
                let answered = try #require(await outcomes.next())
                #expect(answered.service?.text == "service-0")
                #expect(answered.error == nil)
            }
        }
    }

    @Test func `a data plane is no voice on itself, on what it was not asked for, and on what nobody knows`()
        async throws
    {
        let za1 = za1
        try await withPublisher(try FleetHistory().fleet) { publisher, path in
            await publisher.watch([
                za1: [
                    try `Publisher and probes`.target("ie1", checks: ["service-0", "gone"]),
                    try `Publisher and probes`.target("xx1"),
                ]
            ])
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                try await client.send(
                    `Publisher and probes`.frame([
                        `Publisher and probes`.probe("za1"), `Publisher and probes`.probe("us1"),
                        `Publisher and probes`.probe("xx1"), `Publisher and probes`.probe("ie1", service: "service-1"),
                        `Publisher and probes`.probe("ie1", service: "gone"), `Publisher and probes`.probe(""),
                        `Publisher and probes`.probe(
                            "ie1", error: "\n" + String(repeating: "x", count: 100_000)),
                    ]))
                var outcomes = publisher.probes.makeAsyncIterator()
                let outcome = try #require(await outcomes.next())
                #expect(outcome.server.text == "ie1")
                #expect(outcome.error == " " + String(repeating: "x", count: 299))
                #expect(await publisher.status(of: za1).connected)
            }
        }
    }

    @Test func `a data plane that has all but the key of its probes is sent it when its session begins`() async throws {
        let za1 = za1
        let keys = try #require(ProbeKeys(hexadecimal: String(repeating: "7f", count: 32)))
        let fleet = try FleetHistory().fleet
        // As a process of an earlier release has kept it: the same configuration, with the same digest.
        let kept = try #require(SnapshotBuilder(fleet: fleet, exceptions: []).draft(of: za1)).checked()
        #expect(kept.settings.probeKey == nil)
        try await withPublisher(fleet, probeKeys: keys) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                client.current = kept
                try await client.hello(za1)
                try await client.applyNext()
                #expect(client.current?.settings.probeKey == keys.key(of: za1))
                #expect(client.current?.digest == kept.digest)
            }
        }
    }

    @Test func `vantages are told the key of each target, and no other`() throws {
        var target = try `Publisher and probes`.target("ie1")
        #expect(WireWatchTarget(target).probeKey.isEmpty)
        let keys = try #require(ProbeKeys(hexadecimal: String(repeating: "7f", count: 32)))
        target.key = keys.key(of: ie1)
        #expect(Array(WireWatchTarget(target).probeKey) == keys.key(of: ie1)?.octets)
        #expect(keys.key(of: ie1) != keys.key(of: za1))
    }

    @Test func `a server is known to carry traffic by its reports, and only while it is heard of`() async throws {
        let za1 = za1
        try await withPublisher(try FleetHistory().fleet) { publisher, path in
            #expect(await publisher.isCarrying(za1) == false)
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                for bytes: UInt64 in [1000, 1000, 1001] {
                    var observation = WireObservation()
                    observation.load.bytesTotal = bytes
                    observation.load.uptimeSeconds = bytes
                    try await client.send(`Publisher and probes`.frame(observation))
                }
                try await eventually("the reports are there") { await publisher.status(of: za1).uptime == 1001 }
                #expect(await publisher.isCarrying(za1))
            }
            try await eventually("the session has ended") { await !publisher.status(of: za1).connected }
            #expect(await publisher.isCarrying(za1) == false)
        }
    }

    @Test func `new connections of services are passed on`() async throws {
        let za1 = za1
        try await withPublisher(try FleetHistory().fleet) { publisher, path in
            try await ChannelClient.connected(to: path) { client in
                try await client.hello(za1)
                try await client.applyNext()
                var observation = WireObservation()
                for (service, opened) in [("nobody", 1), ("service-1", 0), ("service-0", 7), ("service-3", UInt64.max)]
                {
                    var connections = WireServiceConnections()
                    connections.service = service
                    connections.opened = opened
                    observation.load.connections.append(connections)
                }
                try await client.send(`Publisher and probes`.frame(observation))
                var traffic = publisher.traffic.makeAsyncIterator()
                let first = try #require(await traffic.next())
                #expect(first.server == za1)
                #expect(first.service.text == "service-0")
                #expect(first.opened == 7)
                let second = try #require(await traffic.next())
                #expect(second.service.text == "service-3")
                #expect(second.opened == ServiceTraffic.most)
            }
        }
    }
}
