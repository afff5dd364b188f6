import Domain
import Foundation
import Testing
import Wire

@Suite struct `Snapshot messages` {
    @Test func `of a whole snapshot come out as they went in`() throws {
        let snapshot = try Sample.snapshot(services: 20)
        #expect(try SnapshotContent(WireSnapshot(snapshot)) == .whole(snapshot))
    }

    @Test func `of a difference come out as they went in`() throws {
        let before = try Sample.snapshot(version: 4, services: 5)
        let after = try Sample.snapshot(version: 7, services: 3, seed: 9)
        let difference = after.difference(from: before)
        let message = WireSnapshot(difference, digest: after.digest, incarnation: after.incarnation)
        let content = try SnapshotContent(message)
        #expect(content == .difference(difference, digest: after.digest, incarnation: after.incarnation))
        #expect(try content.applied(to: before) == after)
    }

    @Test(arguments: [0, 1, 20, 2000])
    func `made of services that were encoded before are the same message`(count: Int) throws {
        var services: [ServiceName: Carriage] = [:]
        for number in 0..<count { services[try Sample.name(number)] = try Sample.carriage(number, seed: number) }
        let settings = ServerSettings(
            server: try Server(
                name: ServerName("za1"), region: RegionName("r"), hostname: DomainName("za1.dfree.test"),
                addresses: [Address("192.0.2.1")]), policy: EndpointPolicy())
        let snapshot = try Snapshot(
            incarnation: Sample.incarnation, version: SnapshotVersion(7), settings: settings, services: services)
        let bytes = try FrameEncoder(longestFrame: ChannelRules.longestFrameDown).encoded(
            incarnation: snapshot.incarnation, version: snapshot.version, digest: snapshot.digest, settings: settings,
            services: services.map { try EncodedService($0.key, $0.value) })
        let frame = try #require(try frames(of: bytes, inPiecesOf: 1 << 16).first)
        #expect(try SnapshotContent(frame.snapshot) == .whole(snapshot))
        #expect(throws: FrameError.self) {
            try FrameEncoder(longestFrame: bytes.count - 5).encoded(
                incarnation: snapshot.incarnation, version: snapshot.version, digest: snapshot.digest,
                settings: settings,
                services: services.map { try EncodedService($0.key, $0.value) })
        }
    }

    @Test func `bring the key of probes, which is no part of the digest`() throws {
        let key = try #require(ProbeKey(octets: Array(1...32)))
        let before = try Sample.snapshot(services: 2)
        let settings = ServerSettings(
            server: before.settings.server, policy: before.settings.policy, probeKey: key)
        let after = try Snapshot(
            incarnation: before.incarnation, version: before.version, settings: settings, services: before.services)
        #expect(after != before)
        #expect(after.digest == before.digest)
        #expect(try SnapshotContent(WireSnapshot(after)) == .whole(after))
        // To whom has all but the key, the difference brings it.
        let message = WireSnapshot(
            after.difference(from: before), digest: after.digest, incarnation: after.incarnation)
        #expect(try SnapshotContent(message).applied(to: before) == after)
        #expect(try SnapshotImage.snapshot(in: SnapshotImage.octets(of: after)) == after)
    }

    @Test func `with a key of probes that is none are refused`() throws {
        var message = WireSnapshot(try Sample.snapshot())
        message.settings.probeKey = Data([1, 2, 3])
        let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
        #expect(error?.reasons == ["probe key: is 3 octets long; expected 32, or none"])
    }

    @Test func `of an empty difference only move the version`() throws {
        let before = try Sample.snapshot(version: 4)
        let after = try Sample.snapshot(version: 5)
        let difference = after.difference(from: before)
        #expect(difference.carried.isEmpty && difference.removed.isEmpty && difference.settings == nil)
        let message = WireSnapshot(difference, digest: after.digest, incarnation: after.incarnation)
        #expect(try SnapshotContent(message).applied(to: before) == after)
    }

    @Test func `with another digest than their content has are refused`() throws {
        var message = WireSnapshot(try Sample.snapshot())
        message.digest[15] ^= 1
        let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
        #expect(error?.reasons.count == 1)
        #expect(error?.reasons.first?.contains("digest") == true)
    }

    @Test func `with a difference whose digest does not come out are refused when applied`() throws {
        let before = try Sample.snapshot(version: 4, services: 5)
        let after = try Sample.snapshot(version: 5, services: 6)
        let message = WireSnapshot(after.difference(from: before), digest: .zero, incarnation: after.incarnation)
        let content = try SnapshotContent(message)
        #expect(throws: InvalidMessage.self) { try content.applied(to: before) }
    }

    @Test func `that are wrong in many ways say so of each`() throws {
        var message = WireSnapshot(try Sample.snapshot(services: 1))
        message.digest = message.digest.dropLast()
        message.settings.region = ""
        message.settings.addresses = ["192.0.2.300"]
        message.settings.trustedSenders = ["10.0.0.1/8"]
        message.settings.defaultServices = ["nowhere": "-"]
        message.removed = ["service-9"]
        message.services[0].clientDomains = ["a..example", "*"]
        message.services[0].targets[0].host = "not a host"
        message.services[0].targets[0].httpPort = 0
        message.services[0].targets[0].httpsPort = 65_536
        message.services[0].sendProxyProtocol = .UNRECOGNIZED(9)
        message.services[0].forwardedFor = .UNRECOGNIZED(9)
        var nameless = message.services[0]
        nameless.name = ""
        nameless.targets = []
        message.services.append(nameless)
        let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
        let reasons = error?.reasons ?? []
        for part in [
            "digest", "region", "192.0.2.300", "10.0.0.1/8", "default service's address", "default service: ",
            "removed",
            "a..example", "'*'", "not a host", "HTTP port", "HTTPS port", "PROXY protocol setting 9",
            "X-Forwarded-For setting 9", "service name", "has no endpoint",
        ] {
            #expect(reasons.contains { $0.contains(part) }, "no reason names \(part): \(reasons)")
        }
    }

    @Test func `that name a service or an address twice are refused`() throws {
        var message = WireSnapshot(try Sample.snapshot(services: 2))
        message.services.append(message.services[0])
        message.settings.defaultServices = ["192.0.2.1": "service-0", "::ffff:192.0.2.1": "service-1"]
        let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
        #expect(error?.reasons.count == 2)
    }

    @Test func `of a difference that carries what it removes are refused`() throws {
        let before = try Sample.snapshot(version: 1, services: 3)
        let after = try Sample.snapshot(version: 2, services: 3, seed: 1)
        var message = WireSnapshot(after.difference(from: before), digest: after.digest, incarnation: after.incarnation)
        message.removed = ["service-1", "service-8", "service-8"]
        let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
        #expect(
            error?.reasons.sorted() == [
                "service service-1: is both carried and removed", "service service-8: is removed twice",
            ])
    }

    @Test func `without settings are refused when they are whole`() throws {
        var message = WireSnapshot(try Sample.snapshot())
        message.clearSettings()
        #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
    }

    @Test func `that are inconsistent as a whole are refused`() throws {
        var message = WireSnapshot(try Sample.snapshot(services: 2))
        message.services[0].clientDomains = message.services[1].clientDomains
        message.settings.defaultServices = ["192.0.2.1": "service-7"]
        let error = #expect(throws: InvalidMessage.self) { try SnapshotContent(message) }
        #expect(error?.reasons.count == 3)
    }

    @Test func `of an older version, or of another store, are refused when applied`() throws {
        let current = try Sample.snapshot(version: 4)
        let older = try SnapshotContent(WireSnapshot(try Sample.snapshot(version: 3)))
        #expect(throws: InvalidMessage.self) { try older.applied(to: current) }
        var message = WireSnapshot(try Sample.snapshot(version: 5))
        message.incarnation = 1
        let foreign = try SnapshotContent(message)
        #expect(throws: InvalidMessage.self) { try foreign.applied(to: current) }
        #expect(try foreign.applied(to: nil).version == SnapshotVersion(5))
    }

    @Test func `of a difference are refused by a server that has nothing, or another version`() throws {
        let before = try Sample.snapshot(version: 4)
        let after = try Sample.snapshot(version: 6, seed: 1)
        let content = SnapshotContent.difference(
            after.difference(from: before), digest: after.digest, incarnation: after.incarnation)
        #expect(throws: InvalidMessage.self) { try content.applied(to: nil) }
        #expect(throws: InvalidMessage.self) { try content.applied(to: try Sample.snapshot(version: 5)) }
    }
}
