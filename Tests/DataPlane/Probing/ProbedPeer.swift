import Domain
import Logging
import Synchronization
import Syscalls
import Wire

@testable import DataPlane

/// Somebody who is probed in the clear. Used by its thread, but for `stop`.
private final class ProbedPeer: @unchecked Sendable {
    let listener: TestListener
    private let host: String
    private let isStopped = Atomic(false)

    init(host: String) throws {
        listener = try TestListener(host: host)
        self.host = host
    }

    func run(_ answer: (TestConnection, String, Int) -> Void) {
        var count = 0
        while !isStopped.load(ordering: .relaxed) {
            guard let connection = try? listener.accept(), let head = try? connection.receive(untilSuffix: "\r\n\r\n")
            else { continue }
            count += 1
            answer(connection, head, count)
        }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        // Wakes it from its wait for the next.
        _ = try? TestConnection(port: listener.port, host: host)
    }
}

/// A peer that does with each request what a test wants, one after the other, for as long as `body` runs, which is
/// given its port.
///
/// `answer` is given the connection, the head of the request, and which of them it is, counted from 1.
func withPeer(
    host: String = "127.0.0.1", _ answer: @escaping @Sendable (TestConnection, String, Int) -> Void,
    _ body: (Int) throws -> Void
) throws {
    let peer = try ProbedPeer(host: host)
    let thread = try JoinableThread(named: "peer") { peer.run(answer) }
    let outcome = Result { try body(Int(peer.listener.port)) }
    peer.stop()
    thread.join()
    try outcome.get()
}

/// What a prober has told so far.
final class ToldProbes: Sendable {
    private let probes = Mutex<[WireProbe]>([])

    var count: Int { probes.withLock { $0.count } }

    func add(_ probe: WireProbe) { probes.withLock { $0.append(probe) } }

    /// The first of the rounds of a server's monitor endpoint, or of a service, that is as wanted, once there is one.
    func first(
        of service: String = "", _ what: String, where isWanted: (WireProbe) -> Bool = { _ in true }
    ) throws -> WireProbe {
        var found: WireProbe?
        try eventually(what) {
            found = probes.withLock { $0.first { $0.service == service && isWanted($0) } }
            return found != nil
        }
        guard let found else { throw NotInTime(description: what) }
        return found
    }

    func answered(of service: String = "") throws -> WireProbe {
        try first(of: service, "a round that is answered") { $0.error.isEmpty }
    }

    func missed(of service: String = "") throws -> WireProbe {
        try first(of: service, "a round that is missed") { !$0.error.isEmpty }
    }
}

/// A prober on a thread of its own that probes `targets` for as long as `body` runs.
func withProber(
    of targets: [WireWatchTarget], mostAttempts: Int = 256, _ body: (Mailbox<Prober.Message>, ToldProbes) throws -> Void
) throws {
    let told = ToldProbes()
    let prober = try Prober(
        vantage: try ServerName("ie1"), mostAttempts: mostAttempts, logger: Logger(label: "test")
    ) { told.add($0) }
    let thread = try JoinableThread(named: "prober") {
        do {
            try prober.run()
        } catch {
            prober.mailbox.post(.stop)
        }
    }
    prober.mailbox.post(.watch(watchList(targets)))
    let outcome = Result { try body(prober.mailbox, told) }
    prober.mailbox.post(.stop)
    thread.join()
    try outcome.get()
}
