import Domain
import Syscalls
import Wire

/// Resolves an endpoint and connects to it, now, and reports what it saw. For an operator who asks (`ddirect endpoint
/// check`; in the data plane a check is what an endpoint's health is judged by, and this is an inspection): what is
/// asked together, an endpoint and its fallbacks most often, is looked at together, each on a thread of its own, as
/// each may have to be waited for.
final class EndpointInspector: Sendable {
    enum Message: Sendable {
        case inspect(command: UInt64, EndpointTarget, EndpointPolicy)
        case stop
    }

    let mailbox: Mailbox<Message>
    let pulse = Pulse()
    private let servers: [TransportAddress]
    private let answer: @Sendable (WireEndpointCheck) -> Void
    private static let connectPatience: UInt64 = 3000

    /// `answer` is called on the inspector's thread.
    init(servers: [TransportAddress], answer: @escaping @Sendable (WireEndpointCheck) -> Void) throws(SystemCallError) {
        mailbox = try Mailbox(limit: 16)
        self.servers = servers
        self.answer = answer
    }

    func run() throws(SystemCallError) {
        while true {
            pulse.beat()
            var set = PollSet()
            set.add(mailbox.descriptor)
            set.wait(milliseconds: 1000)
            var threads: [JoinableThread] = []
            defer { for thread in threads { thread.join() } }
            for message in mailbox.drain() {
                guard case .inspect(let command, let target, let policy) = message else { return }
                threads.append(
                    try JoinableThread(named: "inspection") { [self] in
                        do {
                            answer(try inspect(command, target, policy))
                        } catch {
                            var report = WireEndpointCheck()
                            report.command = command
                            report.resolveError = "this data plane cannot look at that now: \(error)"
                            answer(report)
                        }
                    })
            }
        }
    }

    private func inspect(_ command: UInt64, _ target: EndpointTarget, _ policy: EndpointPolicy) throws(SystemCallError)
        -> WireEndpointCheck
    {
        var report = WireEndpointCheck()
        report.command = command
        var addresses: [Address] = []
        switch target.host {
        case .address(let address):
            addresses = [address]
        case .name(let name):
            let start = Clock.monotonicNanoseconds
            switch try resolve(name) {
            case .addresses(let found, let seconds):
                addresses = found
                report.ttlSeconds = seconds
            case .problem(let problem): report.resolveError = "\(name) cannot be resolved: \(problem)"
            }
            report.resolveMicroseconds = (Clock.monotonicNanoseconds - start) / 1000
        }
        report.attempts = connect(to: addresses, [target.httpPort, target.httpsPort], policy)
        return report
    }

    private func resolve(_ name: DomainName) throws(SystemCallError) -> NameLookup.Outcome {
        let lookup = try NameLookup(name, servers: servers)
        while true {
            if let outcome = lookup.takeOutcome() { return outcome }
            var set = PollSet()
            lookup.add(to: &set)
            set.wait(milliseconds: lookup.patience(atMost: 500))
            lookup.process(set)
        }
    }

    /// Connects to every address and port at the same time, and closes again.
    private func connect(to addresses: [Address], _ ports: [Port], _ policy: EndpointPolicy) -> [WireAttempt] {
        var attempts: [WireAttempt] = []
        var underWay: [(index: Int, socket: Socket)] = []
        let start = Clock.monotonicNanoseconds
        for address in addresses.prefix(EndpointAddresses.most) {
            for port in ports {
                var attempt = WireAttempt()
                attempt.address = address.description
                attempt.port = UInt32(port.number)
                if let refusal = policy.refusal(of: address) {
                    attempt.error = "\(address) \(refusal)"
                } else {
                    let opened = Socket.open(address.family)
                    let socket = Socket(number: Int32(truncatingIfNeeded: max(-1, opened.value)))
                    let answer =
                        opened.isError
                        ? opened : socket.connect(to: KernelAddress(TransportAddress(address, port: port.number)))
                    if answer.isError, !answer.inProgress {
                        attempt.error = SystemCallError.text(of: answer.code)
                        if socket.exists { socket.close() }
                    } else {
                        underWay.append((attempts.count, socket))
                    }
                }
                attempts.append(attempt)
            }
        }
        while !underWay.isEmpty {
            let spent = (Clock.monotonicNanoseconds - start) / 1_000_000
            var set = PollSet()
            for (_, socket) in underWay { set.add(socket.number, readable: false, writable: true) }
            if spent < EndpointInspector.connectPatience {
                set.wait(milliseconds: Int32(EndpointInspector.connectPatience - spent))
            }
            var waiting: [(index: Int, socket: Socket)] = []
            for (place, (index, socket)) in underWay.enumerated() {
                let isDone = set.isWritable(place)
                guard isDone || spent >= EndpointInspector.connectPatience else {
                    waiting.append((index, socket))
                    continue
                }
                attempts[index].connectMicroseconds = (Clock.monotonicNanoseconds - start) / 1000
                let outcome = socket.connectOutcome
                if !isDone {
                    attempts[index].error = "no answer in \(EndpointInspector.connectPatience) ms"
                } else if outcome.isError {
                    attempts[index].error = SystemCallError.text(of: outcome.code)
                }
                socket.close()
            }
            underWay = waiting
        }
        return attempts
    }
}
