import Foundation
import Synchronization

/// Short connections, one after the other on several threads, until told to stop; and what became of each.
final class Load: Sendable {
    /// One connection: from when to when it lasted, and who answered; or why nobody did.
    struct Outcome: Sendable {
        let opened: ContinuousClock.Instant
        let ended: ContinuousClock.Instant
        let answer: Result<String, Failure>
    }

    private let outcomes = Mutex<[Outcome]>([])
    private let isStopped = Mutex(false)
    private let threads = DispatchGroup()

    /// `connect` opens a connection, says who answered, and closes it.
    ///
    /// After each, every thread pauses: some 500 connections a second at most, all threads together, as one client may
    /// have 1,000.
    init(
        threads count: Int, pausing pause: Duration? = nil, connect: @escaping @Sendable () throws -> String
    ) throws {
        let rest = pause ?? .milliseconds(2 * count)
        for _ in 0..<count {
            threads.enter()
            Thread { [self] in
                while !isStopped.withLock({ $0 }) {
                    let opened = now()
                    let answer = Result { try connect() }.mapError { Failure("\($0)") }
                    let outcome = Outcome(opened: opened, ended: now(), answer: answer)
                    outcomes.withLock { $0.append(outcome) }
                    if rest > .zero { EndToEndTests.pause(rest) }
                }
                threads.leave()
            }.start()
        }
        try Scene.present().atEnd { [self] in _ = stop() }
    }

    var count: Int { outcomes.withLock { $0.count } }

    /// Waits until so many more connections have ended.
    func awaitMore(_ more: Int) throws {
        let before = count
        try eventually("\(more) more connections under load") { count >= before + more }
    }

    /// Ends it, and gives everything that was seen.
    @discardableResult
    func stop() -> [Outcome] {
        isStopped.withLock { $0 = true }
        threads.wait()
        return outcomes.withLock { $0 }
    }

    /// TLS hellos to a server, behind which a `Peer.echo` says its name.
    static func hellos(to server: Server, threads: Int = 2, pausing pause: Duration? = nil) throws -> Load {
        let (place, hello) = (server.https, clientHello("app.acme.test"))
        return try Load(threads: threads, pausing: pause) {
            let connection = try TCPConnection(to: place)
            try connection.send(hello)
            return String(try connection.receive(until: "\n").dropLast())
        }
    }

    /// Requests of plain HTTP to a server, behind which nginx says its site's name.
    static func requests(to server: Server, host: String = "app.acme.test", threads: Int = 2) throws -> Load {
        try requests(to: server.http, host: host, threads: threads)
    }

    static func requests(to place: Place, host: String = "app.acme.test", threads: Int = 2) throws -> Load {
        try Load(threads: threads) {
            let response = try HTTPResponse.get("/", at: place, host: host)
            guard response.status == 200, let name = told(response.body)["name"] else {
                throw Failure("status \(response.status): \(response.body)")
            }
            return name
        }
    }
}

extension [Load.Outcome] {
    var failures: [Failure] {
        compactMap { if case .failure(let failure) = $0.answer { failure } else { nil } }
    }

    /// Who answered the connections that were opened from `start` on and had ended by `end`: what was known before the
    /// first moment and not changed before the second held for all of each.
    func answers(from start: ContinuousClock.Instant? = nil, to end: ContinuousClock.Instant? = nil) -> Set<String> {
        Set(
            compactMap { outcome -> String? in
                if let start, outcome.opened < start { return nil }
                if let end, outcome.ended > end { return nil }
                return try? outcome.answer.get()
            })
    }

    /// How many connections were answered in a second, from when the first was opened until the last had ended.
    var rate: Double {
        guard let start = map(\.opened).min(), let end = map(\.ended).max(), start < end else { return 0 }
        return Double(count - failures.count) / ((end - start) / Duration.seconds(1))
    }
}

/// Long-lived connections over which a byte goes to and fro all the time.
final class PingPong: Sendable {
    private let isStopped = Mutex(false)
    private let failures = Mutex<[String]>([])
    private let rounds = Mutex(0)
    private let threads = DispatchGroup()

    /// Opens all `count` connections through `server` to a `Peer.echo`; when this returns each has had its first
    /// answer.
    init(_ count: Int, through server: Server) throws {
        for _ in 0..<count {
            let connection = try TCPConnection(to: server.https)
            try connection.send(clientHello("app.acme.test"))
            _ = try connection.receive(until: "\n")
            threads.enter()
            Thread { [self] in
                var number: UInt8 = 0
                do {
                    while !isStopped.withLock({ $0 }) {
                        try connection.send([number])
                        let back = try connection.receive(exactly: 1)
                        guard back == [number] else { throw Failure("\(back) came back for \(number)") }
                        number &+= 1
                        rounds.withLock { $0 += 1 }
                        pause(.milliseconds(10))
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
                threads.leave()
            }.start()
        }
        try Scene.present().atEnd { [self] in _ = stop() }
    }

    /// Waits until bytes have gone to and fro so often more.
    func awaitMore(_ more: Int) throws {
        let before = rounds.withLock { $0 }
        try eventually("\(more) more round trips") { rounds.withLock { $0 } >= before + more }
    }

    /// Ends it. Why connections broke, if any did.
    @discardableResult
    func stop() -> [String] {
        isStopped.withLock { $0 = true }
        threads.wait()
        return failures.withLock { $0 }
    }
}
