import Domain
import Logging
import Synchronization
import Syscalls
import Testing

@testable import DataPlane

/// What a test sets otherwise than the process does.
struct AnsweringSettings {
    var monitor = Responder.bounds
    var admin = AdminListener.bounds
    var longAnswerLimit = 4
    /// Whether callers of the monitor endpoint are named by a PROXY header, as the relay does it.
    var isBehindRelay = false
    var proved: @Sendable (Address) -> Void = { _ in }
}

/// Where a process answers that a test asks.
struct AnsweringAddresses {
    let admin: TransportAddress
    let http: TransportAddress
    let https: TransportAddress
}

/// A responder and an admin listener on ports that the kernel chose, running for as long as `body` does. `metrics`
/// stands in for the process's own.
func withResponder(
    _ board: StatusBoard, workers: [WorkerCounters] = [],
    _ adjust: (inout AnsweringSettings) -> Void = { _ in },
    metrics: (@Sendable (Status) -> [UInt8])? = nil,
    _ body: (AnsweringAddresses) throws -> Void
) throws {
    var settings = AnsweringSettings()
    adjust(&settings)
    let startTime = board.startTime
    let responder = try Responder(
        within: settings.monitor, board: board, isBehindRelay: settings.isBehindRelay, logger: Logger(label: "test"),
        proved: settings.proved)
    let admin = try AdminListener(
        at: try TransportAddress("127.0.0.1:0"), within: settings.admin, longAnswerLimit: settings.longAnswerLimit,
        board: board, logger: Logger(label: "test"),
        metrics: metrics
            ?? {
                Metrics(status: $0, workers: workers, buildVersion: "1.2.3", startTime: startTime).rendered()
            })
    let problems = Mutex<[String]>([])
    let threads = [
        try JoinableThread(named: "responder") {
            do { try responder.run() } catch { problems.withLock { $0.append("\(error)") } }
        },
        try JoinableThread(named: "admin") {
            do { try admin.run() } catch { problems.withLock { $0.append("\(error)") } }
        },
    ]
    let outcome = Result {
        try body(
            AnsweringAddresses(
                admin: admin.address, http: responder.addresses.http, https: responder.addresses.https))
    }
    responder.stop()
    admin.stop()
    for thread in threads { thread.join() }
    #expect(problems.withLock { $0 }.isEmpty)
    try outcome.get()
}

@Suite struct `The responder` {
    @Test func `answers checks of the monitor endpoint on any path`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let answer = try Client.ask(addresses.http, "GET /some/where?x=1 HTTP/1.1")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("\r\nCache-Control: no-store\r\n"))
            #expect(answer.contains("\r\nConnection: close\r\n"))
            #expect(
                answer.contains(#"{"server":"za1","region":"af-south-1","version":42,"state":"serving","time":"20"#))
        }
    }

    @Test func `answers the operator on the admin listener`() throws {
        let workers = [try WorkerCounters(services: 4)]
        try withResponder(try Samples.servingBoard(), workers: workers) { addresses in
            #expect(try Client.ask(addresses.admin, "GET /healthz HTTP/1.1").hasSuffix("\r\n\r\nok\n"))
            #expect(try Client.ask(addresses.admin, "GET /readyz HTTP/1.0").hasSuffix("\r\n\r\nok\n"))
            let metrics = try Client.ask(addresses.admin, "GET /metrics HTTP/1.1")
            #expect(metrics.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(metrics.contains("\nddirect_build_info{version=\"1.2.3\"} 1\n"))
            #expect(try Client.ask(addresses.admin, "GET /else HTTP/1.1").hasPrefix("HTTP/1.1 404 Not Found\r\n"))
        }
    }

    @Test func `answers HEAD with the head alone`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let answer = try Client.ask(addresses.admin, "HEAD /healthz HTTP/1.1")
            #expect(answer.contains("\r\nContent-Length: 3\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func `tells a client with a body, or another method, in an answer that is not lost`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let client = try Client(to: addresses.http)
            let body = String(repeating: "x", count: 100_000)
            client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n\(body)")
            let answer = client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
            #expect(answer.contains("\r\nAllow: GET, HEAD\r\n"))
        }
    }

    @Test func `reads a request that comes an octet at a time`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            let client = try Client(to: addresses.http)
            for octet in "GET / HTTP/1.1\r\nHost: x\r\n\r\n" { client.send(String(octet)) }
            #expect(client.receiveAll().hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func `refuses what is no request`() throws {
        try withResponder(try Samples.servingBoard()) { addresses in
            for (request, status) in [
                ("GET / HTTP/1.1\r\n\r\n", "400"), ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505"),
                ("\u{0}\u{1}\u{2}", "400"),
                ("GET / HTTP/1.1\r\nHost: x\r\nA: \(String(repeating: "a", count: 9000))\r\n\r\n", "431"),
                ("GET /\(String(repeating: "a", count: 20_000))", "431"),
            ] {
                let client = try Client(to: addresses.admin)
                client.send(request)
                #expect(client.receiveAll().hasPrefix("HTTP/1.1 \(status) "), "\(request.prefix(20))")
            }
            // TLS on the plain port gets no answer that it could not read.
            let client = try Client(to: addresses.http)
            client.send("\u{16}\u{3}\u{1}")
            #expect(client.receiveAll(milliseconds: 2000).isEmpty)
        }
    }

    @Test func `tells of a thread that makes no progress, and no longer once it moves again`() throws {
        let board = try Samples.servingBoard()
        try withResponder(board) { addresses in
            board.setAilments(
                [ThreadAilment(thread: "worker-0", loss: .ofTraffic, kind: .stuck)],
                at: .nanoseconds(Clock.monotonicNanoseconds))
            let stuck = try Client.ask(addresses.admin, "GET /healthz HTTP/1.1")
            #expect(stuck.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(stuck.hasSuffix("\r\n\r\nThread worker-0 makes no progress.\n"))
            board.setAilments([], at: .nanoseconds(Clock.monotonicNanoseconds))
            let again = try Client.ask(addresses.admin, "GET /healthz HTTP/1.1")
            #expect(again.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func `closes its listeners when it is let go, started or not`() throws {
        let board = try Samples.board()
        func listener(at address: TransportAddress) throws -> AdminListener {
            try AdminListener(at: address, board: board, logger: Logger(label: "test")) { _ in [] }
        }
        var admin: AdminListener? = try listener(at: try TransportAddress("127.0.0.1:0"))
        let address = try #require(admin?.address)
        #expect(throws: SystemCallError.self) { try listener(at: address) }
        admin = nil
        let next = try listener(at: address)
        #expect(next.address == address)
    }

    @Test func `answers a probe while the metrics are being rendered`() throws {
        let probed = Mutex(false)
        // As long as the longest rendering: until the probe has its answer.
        @Sendable func render(_ status: Status) -> [UInt8] {
            let deadline = Clock.monotonicNanoseconds + 60_000_000_000
            while !probed.withLock({ $0 }), Clock.monotonicNanoseconds < deadline {
                _ = try? Epoll().wait(milliseconds: 5)
            }
            return Array(probed.withLock { $0 } ? "the probe was first".utf8 : "the probe was kept waiting".utf8)
        }
        try withResponder(try Samples.servingBoard(), metrics: { render($0) }) { addresses in
            let scraper = try Client(to: addresses.admin)
            scraper.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try Client.ask(addresses.http, "GET / HTTP/1.1")
            probed.withLock { $0 = true }
            #expect(answer.contains(" 200 "))
            #expect(scraper.receiveAll(milliseconds: 240_000).hasSuffix("the probe was first"))
        }
    }
}

@Suite struct `The responder under strain` {
    @Test func `is not held up by clients that say nothing or read nothing`() throws {
        let board = try Samples.servingBoard()
        let workers = [try WorkerCounters(services: 10_002)]
        board.setServices((2..<10_002).map { (slot: $0, name: "service-\($0)") }, moved: [:])
        for service in 2..<10_002 as Range<Int32> { workers[0].add(1, .bytesUp, service: service) }
        try withResponder(board, workers: workers) { addresses in
            let silent = try Client(to: addresses.http)
            let hesitant = try Client(to: addresses.admin)
            hesitant.send("GET /metr")
            let slow = try Client(to: addresses.admin)
            slow.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try Client.ask(addresses.http, "GET / HTTP/1.1").contains(" 200 "))
            #expect(try Client.ask(addresses.admin, "GET /healthz HTTP/1.1").contains(" 200 "))
            // The one that did not read gets everything all the same.
            let metrics = slow.receiveAll()
            #expect(metrics.utf8.count > 4_000_000)
            #expect(metrics.hasSuffix("ddirect_service_fallbacks_used_total{service=\"service-10001\"} 0\n"))
            hesitant.send("ics HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(hesitant.receiveAll().utf8.count == metrics.utf8.count)
            silent.send("")
        }
    }

    @Test func `renders for a few at one time`() throws {
        let board = try Samples.servingBoard()
        let workers = [try WorkerCounters(services: 10_002)]
        board.setServices((2..<10_002).map { (slot: $0, name: "service-\($0)") }, moved: [:])
        for service in 2..<10_002 as Range<Int32> { workers[0].add(1, .bytesUp, service: service) }
        try withResponder(board, workers: workers, { $0.longAnswerLimit = 1 }) { addresses in
            let slow = try Client(to: addresses.admin)
            slow.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            // The answer is being written once its first bytes are here.
            #expect(!slow.isClosed(withinMilliseconds: 10_000))
            let answer = try Client.ask(addresses.admin, "GET /metrics HTTP/1.1")
            #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(answer.contains("\r\nRetry-After: 1\r\n"))
        }
    }

    @Test func `closes the oldest of too many operators, and refuses the newest of too many strangers`() throws {
        try withResponder(
            try Samples.servingBoard(),
            { settings in
                settings.monitor.connections = 8
                settings.admin.connections = 8
            }
        ) { addresses in
            let oldest = try Client(to: addresses.admin)
            var others: [Client] = []
            for _ in 0..<8 { others.append(try Client(to: addresses.admin)) }
            #expect(oldest.isClosed(withinMilliseconds: 240_000))
            let admin = try #require(others.last)
            let strangers = try (0..<8).map { _ in try Client(to: addresses.http) }
            let newest = try Client(to: addresses.http)
            #expect(newest.isClosed(withinMilliseconds: 240_000))
            for stranger in strangers {
                stranger.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(stranger.receiveAll().contains(" 200 "))
            }
            admin.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(admin.receiveAll().contains(" 200 "))
        }
    }

    @Test func `gives up on requests that do not come, with a word to those that began`() throws {
        try withResponder(
            try Samples.servingBoard(), { settings in settings.monitor.requestPatience = .seconds(2) }
        ) { addresses in
            let silent = try Client(to: addresses.http)
            let begun = try Client(to: addresses.http)
            begun.send("GET / HT")
            let handshaking = try Client(to: addresses.https)
            handshaking.send("\u{16}\u{3}\u{1}")
            #expect(begun.receiveAll().hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
            #expect(silent.isClosed(withinMilliseconds: 240_000))
            #expect(handshaking.isClosed(withinMilliseconds: 240_000))
        }
    }

    @Test func `gives up on answers that are not read`() throws {
        let board = try Samples.servingBoard()
        let workers = [try WorkerCounters(services: 10_002)]
        board.setServices((2..<10_002).map { (slot: $0, name: "service-\($0)") }, moved: [:])
        for service in 2..<10_002 as Range<Int32> { workers[0].add(1, .bytesUp, service: service) }
        try withResponder(board, workers: workers, { $0.admin.answerPatience = .milliseconds(300) }) { addresses in
            let slow = try Client(to: addresses.admin)
            slow.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(!slow.isClosed(withinMilliseconds: 10_000))
            let wait = try Epoll()
            _ = wait.wait(milliseconds: 1000)
            // Answered by the thread that gives up on the other, in rounds of later moments.
            for _ in 0..<2 {
                #expect(try Client.ask(addresses.admin, "GET /healthz HTTP/1.1").contains(" 200 "))
            }
            let received = slow.receiveAll()
            #expect(!received.contains("service_fallbacks_used_total{"))
        }
    }
}
