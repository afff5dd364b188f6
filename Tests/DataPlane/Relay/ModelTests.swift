import Domain
import Foundation
import Glibc
import Testing

@testable import DataPlane

/// Random chunks of random sizes with random ends, through every kind of flow: what arrives is what was sent, every
/// byte of it is counted, and nothing stays behind.
@Suite struct `Whatever passes` {
    /// Sends `bytes` in pieces of random sizes, some of them with a moment's rest.
    private static func trickle(_ bytes: [UInt8], into connection: TestConnection, _ random: inout Xorshift) {
        var position = 0
        while position < bytes.count {
            let size = 1 << random.below(19)
            let end = min(bytes.count, position + 1 + random.below(size))
            guard (try? connection.send(Array(bytes[position..<end]))) != nil else { return }
            position = end
            if random.below(8) == 0 { usleep(UInt32(random.below(2000))) }
        }
    }

    /// Sends from one end and reads at the other, both at a time, in both directions; then both end in random order.
    private func exchange(
        _ client: TestConnection, _ endpoint: TestConnection, _ random: inout Xorshift
    ) -> (isWhole: Bool, up: Int, down: Int) {
        let up = pattern(random.below(3) == 0 ? random.below(3_000_000) : random.below(5000))
        let down = pattern(random.below(3) == 0 ? random.below(3_000_000) : random.below(5000))
        var seeds = (0..<2).map { _ in Xorshift(random.next()) }
        let senders = [(client, up), (endpoint, down)].map { connection, bytes in
            let seed = seeds.removeLast()
            let sender = Foundation.Thread {
                var seed = seed
                Self.trickle(bytes, into: connection, &seed)
                connection.shutdownWriting()
            }
            sender.start()
            return sender
        }
        let reader = Reading(endpoint)
        let got = client.receiveAll()
        let other = reader.wait()
        withExtendedLifetime(senders) {}
        let isWhole = got.bytes == down && got.end == .end && other.bytes == up && other.end == .end
        return (isWhole, up.count, down.count)
    }

    /// What is counted for the service, once all its flows have ended; only then it stands still.
    private func counts(_ relay: RelayHarness) throws -> (up: UInt64, down: UInt64) {
        try eventually("the end of every flow") { relay.pool.flowsOpen == 0 }
        return (relay.count(.bytesUp, "one"), relay.count(.bytesDown, "one"))
    }

    @Test(arguments: 1...3)
    func `arrives, by TLS and by tunnel`(seed: UInt64) throws {
        var random = Xorshift(seed)
        let relay = try RelayHarness()
        let listener = try TestListener()
        try relay.route([("one", try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)]))])
        var before = try counts(relay)
        for round in 0..<10 {
            let isTLS = random.below(2) == 0
            let client = try TestConnection(port: isTLS ? relay.httpsPort : relay.httpPort)
            let upgrade = "GET / HTTP/1.1\r\nHost: one.acme.test\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
            let hello = clientHello("one.acme.test", padding: random.below(15_000))
            let opening = isTLS ? hello : Array(upgrade.utf8)
            Self.trickle(opening, into: client, &random)
            let endpoint = try listener.accept()
            var answered = 0
            if isTLS {
                let isSame = try endpoint.receive(exactly: hello.count) == hello
                #expect(isSame)
            } else {
                _ = try endpoint.receive(untilSuffix: "\r\n\r\n")
                let accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
                try endpoint.send(accepted)
                _ = try client.receive(exactly: accepted.utf8.count)
                answered = accepted.utf8.count
            }
            if random.below(4) == 0 {
                // Cut in the middle. The relay has read what the endpoint has, and maybe more of what the client had
                // sent by then.
                let junk = pattern(random.below(500_000))
                let sender = Foundation.Thread { try? client.send(junk) }
                sender.start()
                var arrived = 0
                if case .bytes(let bytes) = endpoint.receive() { arrived = bytes.count }
                let (cut, other) = random.below(2) == 0 ? (client, endpoint) : (endpoint, client)
                cut.reset()
                // What is on its way is delivered first.
                _ = other.receiveAll()
                let after = try counts(relay)
                let possible = UInt64(opening.count + arrived)...UInt64(opening.count + junk.count)
                #expect(possible.contains(after.up - before.up), "seed \(seed), round \(round)")
                #expect(after.down - before.down == UInt64(answered), "seed \(seed), round \(round)")
                before = after
            } else {
                let passed = exchange(client, endpoint, &random)
                #expect(passed.isWhole, "seed \(seed), round \(round)")
                let after = try counts(relay)
                #expect(after.up - before.up == UInt64(opening.count + passed.up), "seed \(seed), round \(round)")
                #expect(after.down - before.down == UInt64(answered + passed.down), "seed \(seed), round \(round)")
                before = after
            }
        }
        try relay.expectIdle()
        let slot = relay.slot(of: "one")
        #expect(relay.pool.counters.sum(.connectionsOpened, service: slot) == 10)
        #expect(relay.pool.counters.sum(.connectionsClosed, service: slot) == 10)
    }

    @Test(arguments: 1...3)
    func `arrives in exchanges, with lengths and in chunks`(seed: UInt64) throws {
        var random = Xorshift(seed)
        let relay = try RelayHarness()
        let listener = try TestListener()
        let service = try carriage(["one.acme.test"], to: [("127.0.0.1", listener.port)], forwardedFor: .off)
        try relay.route([("one", service)])
        var before = try counts(relay)
        for round in 0..<3 {
            let pairs = (0..<6).map { _ in
                (
                    message("POST / HTTP/1.1\r\nHost: one.acme.test\r\n", &random),
                    message("HTTP/1.1 200 OK\r\n", &random)
                )
            }
            let client = try TestConnection(port: relay.httpPort)
            let requests = pairs.flatMap(\.0)
            let responses = pairs.flatMap(\.1)
            let seed = Xorshift(random.next())
            let sender = Foundation.Thread {
                var seed = seed
                Self.trickle(requests, into: client, &seed)
                client.shutdownWriting()
            }
            sender.start()
            let reader = Reading(client)
            let endpoint = try listener.accept()
            var isSame = true
            for (request, response) in pairs {
                isSame = try endpoint.receive(exactly: request.count) == request && isSame
                Self.trickle(response, into: endpoint, &random)
            }
            #expect(endpoint.receive() == .end)
            endpoint.shutdownWriting()
            let got = reader.wait()
            isSame = got.bytes == responses && got.end == .end && isSame
            #expect(isSame, "seed \(seed), round \(round)")
            let after = try counts(relay)
            #expect(after.up - before.up == UInt64(requests.count), "seed \(seed), round \(round)")
            #expect(after.down - before.down == UInt64(responses.count), "seed \(seed), round \(round)")
            before = after
            #expect(relay.count(.requests, "one") == UInt64((round + 1) * pairs.count))
            try relay.expectIdle()
        }
    }

    /// A message with a body of random size, with a length or in random chunks.
    private func message(_ start: String, _ random: inout Xorshift) -> [UInt8] {
        let body = pattern(random.below(4) == 0 ? random.below(1_500_000) : random.below(3000))
        guard random.below(2) == 0 else {
            return Array("\(start)Content-Length: \(body.count)\r\n\r\n".utf8) + body
        }
        var bytes = Array("\(start)Transfer-Encoding: chunked\r\n\r\n".utf8)
        var position = 0
        while position < body.count {
            let end = min(body.count, position + 1 + random.below(1 << (4 + random.below(16))))
            bytes += Array("\(String(end - position, radix: 16))\r\n".utf8) + body[position..<end] + Array("\r\n".utf8)
            position = end
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }
}

/// Reads a connection to its end on a thread of its own.
private final class Reading: @unchecked Sendable {
    // Written by that thread before the semaphore is signalled, read by the other after.
    private var outcome: (bytes: [UInt8], end: TestConnection.Read) = ([], .nothing)
    private let done = DispatchSemaphore(value: 0)

    init(_ connection: TestConnection) {
        let thread = Foundation.Thread { [self] in
            outcome = connection.receiveAll()
            done.signal()
        }
        thread.start()
    }

    func wait() -> (bytes: [UInt8], end: TestConnection.Read) {
        done.wait()
        return outcome
    }
}

/// Marsaglia's generator: the same numbers for the same seed, so that a failure can be seen again.
private struct Xorshift: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func below(_ bound: Int) -> Int { bound > 0 ? Int(next() >> 11) % bound : 0 }
}
