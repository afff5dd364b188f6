import Domain
import Glibc
import Wire

/// Many data planes in one process, for measuring the control plane: `stub-fleet CHANNEL SERVER…`
///
/// Says `ready` when each holds a version. When its standard input ends, it says what it was sent, as JSON, and ends. Anything that is
/// not as it should be ends it with a word on standard error.
@main
struct StubFleet {
    private var members: [(connection: Connection, server: StubServer)] = []
    private var nextHeartbeat = ContinuousClock.now
    private var isReady = false

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        do {
            guard let path = arguments.first, arguments.count > 1 else { throw Failure("expected CHANNEL SERVER…") }
            var fleet = try StubFleet(path: path, names: arguments.dropFirst())
            try fleet.run()
        } catch {
            say("stub-fleet: \(error)", to: STDERR_FILENO)
            exit(1)
        }
    }

    private init(path: String, names: some Sequence<String>) throws {
        for name in names {
            let server = StubServer(name: try ServerName(name))
            let connection = try Connection(path: path)
            try connection.send(server.hello)
            members.append((connection, server))
        }
    }

    /// Answers until standard input ends.
    private mutating func run() throws {
        var places = members.map { pollfd(fd: $0.connection.descriptor, events: Int16(POLLIN), revents: 0) }
        places.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0))
        while places[members.count].revents == 0 {
            for index in members.indices where places[index].revents != 0 { try receive(index) }
            try sendHeartbeats()
            if !isReady, members.allSatisfy({ $0.server.held != nil }) {
                isReady = true
                say("ready", to: STDOUT_FILENO)
            }
            poll(&places, nfds_t(places.count), patience)
        }
        report()
    }

    /// Milliseconds until the next heartbeat, rounded up.
    private var patience: Int32 {
        Int32(max(0, (nextHeartbeat - .now) / .milliseconds(1)).rounded(.up))
    }

    private mutating func receive(_ index: Int) throws {
        let connection = members[index].connection
        try connection.receive { frame throws(Failure) in
            if let answer = try members[index].server.answer(to: frame) { try connection.send(answer) }
        }
    }

    private mutating func sendHeartbeats() throws {
        guard .now >= nextHeartbeat else { return }
        nextHeartbeat = .now + ChannelRules.heartbeatInterval
        for (connection, _) in members { try connection.send(.heartbeat) }
    }

    private func report() {
        let whole = members.reduce(0) { $0 + $1.server.wholeSnapshots }
        let differences = members.reduce(0) { $0 + $1.server.differences }
        let oldest = members.compactMap { $0.server.held }.min()?.number ?? 0
        let summary = #"{"wholeSnapshots": \#(whole), "differences": \#(differences), "oldestVersion": \#(oldest)}"#
        say(summary, to: STDOUT_FILENO)
    }
}

/// Writes a line at once: who started us waits for it.
private func say(_ line: String, to descriptor: Int32) {
    _ = write(descriptor, line + "\n", line.utf8.count + 1)
}
