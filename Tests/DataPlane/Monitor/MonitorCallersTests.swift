import Domain
import Foundation
import Routing
import Synchronization
import Syscalls
import Testing

@testable import DataPlane

/// Callers of the monitor endpoint, as the relay hands them on.
@Suite struct `The callers of the responder` {
    private static let key: [UInt8] = Array(1...32)

    private func board() throws -> StatusBoard {
        let board = try Samples.servingBoard()
        var applied = try Samples.applied(42)
        applied.fleet = [try Address("203.0.113.1")]
        applied.probeKey = ProbeKey(octets: Self.key)
        board.applied(applied)
        return board
    }

    /// A connection of the relay's, on behalf of `source`.
    private func call(_ address: TransportAddress, from source: String?, _ text: String = "") throws -> Client {
        let client = try Client(to: address)
        var header: [UInt8] = Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x20, 0, 0, 0]
        if let source {
            let made = try TransportAddress("\(source):50000")
            let called = try TransportAddress("203.0.113.9:443")
            let buffer = BufferPool.scratch()
            let count = buffer.withMutableSpan(0, ProxyHeader.longestWritten) {
                ProxyHeader.write(.v2, source: made, destination: called, into: &$0) ?? 0
            }
            header = []
            buffer.withSpan(0, count) { for index in 0..<count { header.append($0[index]) } }
        }
        client.send(octets: header + Array(text.utf8))
        return client
    }

    private func request(_ proof: String? = nil) -> String {
        "GET / HTTP/1.1\r\nHost: za1.dfree.test\r\n" + (proof.map { "ddirect-probe:  \($0)\r\n" } ?? "") + "\r\n"
    }

    private func token(_ nonce: UInt128, at time: Date = Date(), for server: String = "za1") throws -> String {
        ProbeToken(
            of: "control", for: try ServerName(server), time: UInt64(time.timeIntervalSince1970), nonce: nonce,
            key: try #require(ProbeKey(octets: Self.key)), authenticate: { Authentication.hmac($0, key: $1.octets) }
        ).value
    }

    @Test func `are answered, whoever they are, once the relay has said for whom it comes`() throws {
        try withResponder(try board(), { $0.isBehindRelay = true }) { addresses in
            for source in ["198.51.100.7", "203.0.113.1", nil] {
                let client = try call(addresses.http, from: source, request())
                #expect(client.receiveAll().hasPrefix("HTTP/1.1 200 OK\r\n"), "\(source ?? "nobody")")
            }
        }
    }

    @Test func `that come in pieces are understood, and those that are no relay are closed`() throws {
        try withResponder(try board(), { $0.isBehindRelay = true }) { addresses in
            let slow = try Client(to: addresses.http)
            for octet in Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x20, 0, 0, 0] { slow.send(octets: [octet]) }
            slow.send(request())
            #expect(slow.receiveAll().contains(" 200 "))
            for words in [request(), "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\(request())", "\r\n\r\n"] {
                let client = try Client(to: addresses.http)
                client.send(words + String(repeating: "x", count: 20))
                #expect(client.isClosed(withinMilliseconds: 30_000))
            }
        }
    }

    @Test
    func `of the fleet have room when strangers have filled theirs, and a stranger is refused before any is dropped`()
        throws
    {
        let board = try board()
        try withResponder(
            board,
            { settings in
                settings.isBehindRelay = true
                settings.monitor.connections = 8
                settings.monitor.requestPatience = .seconds(120)
            }
        ) { addresses in
            let strangers = try (1...8).map { try call(addresses.http, from: "198.51.100.\($0)") }
            // Each is in once a request of its own would be answered: the ninth is refused then, and not before.
            try eventually("the room is full", within: .seconds(60)) {
                let late = try call(addresses.http, from: "198.51.100.99")
                return late.isClosed(withinMilliseconds: 100)
            }
            let probe = try call(addresses.http, from: "203.0.113.1", request())
            #expect(probe.receiveAll().contains(" 200 "))
            for stranger in strangers {
                stranger.send(request())
                #expect(stranger.receiveAll().contains(" 200 "))
            }
            #expect(board.current.monitor.callersRefused > 0)
        }
    }

    @Test func `that show a good token are known from then on, and the workers are told`() throws {
        let told = Mutex<[Address]>([])
        let board = try board()
        try withResponder(
            board,
            { settings in
                settings.isBehindRelay = true
                settings.monitor.connections = 1
                settings.monitor.requestPatience = .seconds(120)
                settings.proved = { address in told.withLock { $0.append(address) } }
            }
        ) { addresses in
            let prober = "198.51.100.7"
            #expect(try call(addresses.http, from: prober, request(token(1))).receiveAll().contains(" 200 "))
            #expect(told.withLock { $0 } == [try Address(prober)])
            // A stranger that stays takes all the room of strangers, once the prober's connection is forgotten.
            var stranger = try call(addresses.http, from: "198.51.100.8")
            try eventually("a stranger is let in", within: .seconds(60)) {
                if !stranger.isClosed(withinMilliseconds: 200) { return true }
                stranger = try call(addresses.http, from: "198.51.100.8")
                return false
            }
            try eventually("the room is full", within: .seconds(60)) {
                try call(addresses.http, from: "198.51.100.99").isClosed(withinMilliseconds: 100)
            }
            #expect(try call(addresses.http, from: prober, request(token(2))).receiveAll().contains(" 200 "))
            withExtendedLifetime(stranger) {}
            #expect(board.current.monitor.proofsTaken == 2)
        }
    }

    @Test func `that show a token that is old, used or for another server are answered, and are nobody`() throws {
        let told = Mutex<[Address]>([])
        let board = try board()
        try withResponder(
            board,
            { settings in
                settings.isBehindRelay = true
                settings.proved = { address in told.withLock { $0.append(address) } }
            }
        ) { addresses in
            let used = try token(1)
            #expect(try call(addresses.http, from: "198.51.100.1", request(used)).receiveAll().contains(" 200 "))
            let others = [
                used, try token(2, at: Date(timeIntervalSinceNow: -600)),
                try token(3, at: Date(timeIntervalSinceNow: 600)),
                try token(4, for: "za2"), "v1", "",
            ]
            for (number, proof) in others.enumerated() {
                let client = try call(addresses.http, from: "198.51.100.\(number + 10)", request(proof))
                #expect(client.receiveAll().contains(" 200 "))
            }
            #expect(told.withLock { $0 } == [try Address("198.51.100.1")])
            #expect(board.current.monitor == Status.Monitor(proofsTaken: 1, proofsRefused: 6))
        }
    }
}
