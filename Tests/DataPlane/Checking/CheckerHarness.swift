import Domain
import Glibc
import Logging
import Synchronization
import Syscalls

@testable import DataPlane

/// A health checker, with a test in the place of the resolver, the subscriber and the workers.
final class CheckerHarness {
    let checker: HealthChecker
    let doubts: Mailbox<NameSlot>
    let lines = LineKeeper()
    private let workers: Mailbox<WorkerMessage>
    private var thread: JoinableThread?
    private var edition: UInt32 = 0

    init() throws {
        Syscalls.Process.ignoreBrokenPipes()
        let lines = lines
        workers = try Mailbox()
        doubts = try Mailbox(limit: 64)
        checker = try HealthChecker(
            workers: [workers], flowLimit: 1024, logger: Logger(label: "health") { _ in lines })
        thread = try JoinableThread(named: "health") { [checker, doubts] in
            do {
                try checker.run(doubting: doubts)
            } catch {
                lines.add("\(error)")
            }
        }
    }

    deinit { stop() }

    func stop() {
        checker.mailbox.post(.stop)
        thread?.join()
        thread = nil
    }

    /// Has a service, `one`, checked whose targets have these addresses; nil for one whose name is not known yet.
    func check(
        _ check: HealthCheck, _ targets: [(addresses: [String]?, port: UInt16)], domains: [String] = ["one.acme.test"],
        send: SendProxyProtocol = .off, allow: [String] = ["127.0.0.0/8"]
    ) throws {
        edition += 1
        let policy = EndpointPolicy(exceptions: try allow.map { try Prefix($0) })
        let hosts = targets.indices.map { "target-\($0).example" }
        let carriage = try carriage(domains, to: hosts.map { ($0, 80) }, send: send)
        var places: [CheckedService.Target] = []
        for (index, target) in targets.enumerated() {
            let name = NameSlot(index: Int32(index), tenant: edition)
            let port = try Port(Int(target.port))
            places.append(
                CheckedService.Target(
                    target: EndpointTarget(host: try EndpointHost(hosts[index]), httpPort: port, httpsPort: port),
                    name: name))
            if let addresses = target.addresses {
                learn(name, try addresses.map { JudgedAddress(try Address($0), policy: policy) })
            }
        }
        let service = CheckedService(
            slot: 2, name: try ServiceName("one"), edition: edition, check: check, carriage: carriage, targets: places)
        checker.mailbox.post(.check([service]))
    }

    /// The name of a target becomes known, on this machine.
    func learn(target index: Int32) throws {
        let policy = EndpointPolicy(exceptions: [try Prefix("127.0.0.0/8")])
        learn(NameSlot(index: index, tenant: edition), [JudgedAddress(try Address("127.0.0.1"), policy: policy)])
    }

    private func learn(_ name: NameSlot, _ addresses: [JudgedAddress]) {
        let known = EndpointAddresses(
            tenant: name.tenant, status: addresses.isEmpty ? .unresolved : .known, addresses: addresses)
        checker.mailbox.post(.addresses([(name.index, known)]))
    }

    /// What workers are told next.
    func preference() throws -> TargetPreference {
        var told: TargetPreference?
        try eventually("another preference; the log: \(lines.all)") {
            for case .preferred(let preferences) in workers.drain() { told = preferences.last?.preference }
            return told != nil
        }
        guard let told else { throw NotInTime(description: "no preference") }
        return told
    }

    /// Whether workers have been told nothing since the last preference.
    var isSilent: Bool {
        workers.drain().allSatisfy { message in if case .preferred = message { false } else { true } }
    }

    /// Waits until so many checks have been made in all.
    func awaitChecks(passed: UInt64 = 0, failed: UInt64 = 0) throws {
        try eventually("\(passed) and \(failed) checks; the log: \(lines.all)") {
            let statistics = checker.statistics
            return statistics.passed >= passed && statistics.failed >= failed
        }
    }

    /// So many more than until now.
    func awaitMoreChecks(passed: UInt64) throws { try awaitChecks(passed: checker.statistics.passed + passed) }
}

/// An endpoint that answers each request with a status that a test can change, and remembers what it was asked.
final class StatusPeer: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let state = Mutex((status: 200, asked: [String]()))

    init() throws {
        let listener = try TestListener()
        port = listener.port
        descriptor = dup(listener.descriptor)
        let thread = try JoinableThread(named: "peer") { [self] in
            while true {
                let number = Glibc.accept(descriptor, nil, nil)
                if number < 0 {
                    // A listener of a test gives up waiting now and then.
                    if errno == EAGAIN || errno == EINTR { continue }
                    return
                }
                let connection = TestConnection(descriptor: number)
                guard let head = try? connection.receive(untilSuffix: "\r\n\r\n") else { continue }
                let status = state.withLock { state in
                    state.asked.append(head)
                    return state.status
                }
                try? connection.send("HTTP/1.1 \(status) Whatever\r\nContent-Length: 1000000\r\n\r\n")
            }
        }
        _ = thread
    }

    /// Ends it: whoever connects is refused.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        Glibc.close(descriptor)
    }

    func answer(_ status: Int) { state.withLock { $0.status = status } }
    var asked: [String] { state.withLock { $0.asked } }
}
