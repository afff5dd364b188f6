import Domain
import Glibc
import Syscalls
import Testing

@testable import DataPlane

/// One tenant's clients do not read what they asked for. The others' connections do not notice.
@Suite struct `A greedy neighbour` {
    private let crowd = 150

    private func get(_ host: String, padding: Int = 0) -> String {
        "GET / HTTP/1.1\r\nHost: \(host)\r\nX-Padding: \(String(repeating: "p", count: padding))\r\n\r\n"
    }

    /// Two tenants' services in one worker, whose memory is small.
    private func makeRelay() throws -> (relay: RelayHarness, greedy: TestListener, quiet: TestListener) {
        var settings = RelaySettings()
        settings.bufferLimit = 4 << 20
        let relay = try RelayHarness(settings: settings)
        let (greedy, quiet) = (try TestListener(), try TestListener())
        try relay.route([
            ("greedy", try carriage(["greedy.test"], to: [("127.0.0.1", greedy.port)], forwardedFor: .off)),
            ("quiet", try carriage(["quiet.test"], to: [("127.0.0.1", quiet.port)], forwardedFor: .off)),
        ])
        return (relay, greedy, quiet)
    }

    /// Sends as long as the peer's machine and ours take something.
    private func fill(_ endpoints: [TestConnection]) {
        let piece = pattern(65_536)
        var isFull = 0
        while isFull < 20 {
            var sent = 0
            for endpoint in endpoints {
                let count = unsafe piece.withUnsafeBytes {
                    unsafe Glibc.send(
                        endpoint.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                }
                sent += max(0, count)
            }
            isFull = sent == 0 ? isFull + 1 : 0
            if sent == 0 { usleep(10_000) }
        }
    }

    @Test func `whose clients do not read leaves hellos and heads of others unharmed`() throws {
        let (relay, greedy, quiet) = try makeRelay()
        var clients: [TestConnection] = []
        var endpoints: [TestConnection] = []
        for _ in 0..<crowd {
            let client = try TestConnection(port: relay.httpsPort, receiveBuffer: 4096)
            try client.send(clientHello("greedy.test"))
            endpoints.append(try greedy.accept())
            clients.append(client)
        }
        fill(endpoints)
        // A hello of 6 KB, and a head of 5 KB, each in two pieces that are kept meanwhile.
        let hello = clientHello("quiet.test", padding: 6000)
        let tls = try TestConnection(port: relay.httpsPort)
        try tls.send(Array(hello.prefix(5000)))
        usleep(50_000)
        try tls.send(Array(hello.dropFirst(5000)))
        let first = try quiet.accept()
        #expect(try first.receive(exactly: hello.count) == hello)
        let head = Array(get("quiet.test", padding: 5000).utf8)
        let http = try TestConnection(port: relay.httpPort)
        try http.send(Array(head.prefix(4500)))
        usleep(50_000)
        try http.send(Array(head.dropFirst(4500)))
        let second = try quiet.accept()
        #expect(try second.receive(exactly: head.count) == head)
        // A reader of the quiet tenant that is slow itself gets all that was said to it.
        let words = pattern(3_000_000)
        let sender = try JoinableThread(named: "sender") { try? first.send(words) }
        usleep(200_000)
        let isWhole = try tls.receive(exactly: words.count) == words
        #expect(isWhole)
        sender.join()
        #expect(relay.count(.buffersExhausted, "quiet") == 0)
        #expect(relay.count(.buffersExhausted) == relay.count(.buffersExhausted, "greedy"))
        withExtendedLifetime((clients, endpoints, http)) {}
    }

    @Test func `who fills the memory with heads that are not whole is who is cut`() throws {
        let (relay, _, quiet) = try makeRelay()
        // 1 MiB for openings: 64 of these fill it. What comes then makes the oldest of the largest give way.
        var strangers: [TestConnection] = []
        for _ in 0..<100 {
            let stranger = try TestConnection(port: relay.httpPort)
            try stranger.send(String(get("greedy.test", padding: 6000).dropLast(4)))
            strangers.append(stranger)
        }
        let client = try TestConnection(port: relay.httpPort)
        let head = Array(get("quiet.test", padding: 5000).utf8)
        try client.send(Array(head.prefix(4500)))
        usleep(50_000)
        try client.send(Array(head.dropFirst(4500)))
        let endpoint = try quiet.accept()
        #expect(try endpoint.receive(exactly: head.count) == head)
        let unrouted = relay.pool.counters.sum(.buffersExhausted, service: ServiceSlot.unrouted)
        #expect(unrouted > 0 && unrouted == relay.count(.buffersExhausted))
        withExtendedLifetime(strangers) {}
    }

    @Test func `a request whose head cannot be kept is answered 503`() throws {
        var settings = RelaySettings()
        settings.bufferLimit = 12_288
        let (relay, _) = try RelayHarness.single(settings)
        let client = try TestConnection(port: relay.httpPort)
        try client.send(get("one.acme.test"))
        let answer = client.receiveText()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("\r\nRetry-After: 1\r\n"))
        try relay.expectIdle()
    }
}
