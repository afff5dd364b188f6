import Domain
import Logging
import Syscalls

/// The responder's own state, and its rounds of events.
struct ResponderLoop: ~Copyable {
    /// What is spoken on a listener. The raw value is its tag in epoll; those of connections follow.
    private enum Door: UInt64, CaseIterable {
        case admin, http, https
    }

    private enum Tag {
        static let mailbox: UInt64 = 3
        static let firstConnection: UInt64 = 16
    }

    private struct Visit {
        let connection: Connection
        var events: EpollEvents
        /// Milliseconds of the monotonic clock.
        var deadline: UInt64
        var stage: Connection.Stage
    }

    let addresses: Responder.Addresses
    private let settings: ResponderSettings
    private let board: StatusBoard
    private let workers: [WorkerCounters]
    private let mailbox: Mailbox<ResponderMessage>
    private let logger: Logger
    private let epoll: Epoll
    private let listeners: ListeningSockets
    private let scratch = BufferPool.scratch()

    private var tls: TLSServer
    /// The host name that the certificate was made for.
    private var certified: DomainName?
    /// By tag: the higher, the younger.
    private var visits: [UInt64: Visit] = [:]
    private var nextTag = Tag.firstConnection
    private var pulse: WorkerPulse
    /// Milliseconds of the monotonic clock, read once a round.
    private var now: UInt64 = 0
    private var nextPulse: UInt64 = 0
    private var nextSweep: UInt64 = 0
    /// When to accept again after descriptors had run out; 0 while accepting.
    private var acceptAgain: UInt64 = 0

    init(
        _ settings: ResponderSettings, board: StatusBoard, workers: [WorkerCounters],
        mailbox: Mailbox<ResponderMessage>, logger: Logger
    ) throws {
        let epoll = try Epoll()
        let listeners = try ListeningSockets(admin: settings.admin)
        let addresses = try listeners.addresses()
        let hostname = board.current.applied?.hostname
        let tls = try TLSServer(names: hostname.map { [$0] } ?? [])
        epoll.add(mailbox.descriptor, .readable, tag: Tag.mailbox)
        for door in Door.allCases { epoll.add(listeners[door.rawValue].number, .readable, tag: door.rawValue) }
        self.settings = settings
        self.board = board
        self.workers = workers
        self.mailbox = mailbox
        self.logger = logger
        self.epoll = epoll
        self.listeners = listeners
        self.addresses = addresses
        self.tls = tls
        certified = hostname
        pulse = WorkerPulse(patience: settings.workerPatience)
    }

    // MARK: The loop

    mutating func run() {
        while true {
            let count = epoll.wait(milliseconds: visits.isEmpty ? 1000 : 100)
            now = Clock.monotonicNanoseconds / 1_000_000
            takePulse()
            for index in 0..<count {
                let tag = epoll.tag(index)
                if tag == Tag.mailbox {
                    // The only message there is.
                    if !mailbox.drain().isEmpty { return }
                } else if let door = Door(rawValue: tag) {
                    accept(at: door)
                } else {
                    advance(tag)
                }
            }
            if now >= nextSweep { sweep() }
        }
    }

    private mutating func takePulse() {
        guard now >= nextPulse else { return }
        nextPulse = now + settings.workerPatience.milliseconds / 5
        pulse.observed(workers.map { $0.read(.rounds) }, at: .milliseconds(now))
    }

    // MARK: Connections

    private mutating func accept(at door: Door) {
        // A round takes a few, so that those already here get their turn.
        for _ in 0..<32 {
            let answer = listeners[door.rawValue].accept()
            if answer.wouldBlock { return }
            if answer.isExhaustion { return pauseAccepting() }
            // Whoever it was has left again; the next may not have.
            guard !answer.isError else { continue }
            welcome(Socket(number: Int32(truncatingIfNeeded: answer.value)), at: door)
        }
    }

    private mutating func welcome(_ socket: Socket, at door: Door) {
        let isAdmin = door == .admin
        makeRoom(isAdmin: isAdmin)
        let connection: Connection
        if door == .https {
            certifyHostname()
            guard let secured = try? tls.connection(over: socket) else { return socket.close() }
            connection = Connection(over: socket, isAdmin: isAdmin, secured: secured)
        } else {
            connection = Connection(over: socket, isAdmin: isAdmin, secured: nil)
        }
        let tag = nextTag
        nextTag += 1
        guard !epoll.add(socket.number, .readable, tag: tag).isError else { return }
        visits[tag] = Visit(
            connection: connection, events: .readable, deadline: deadline(settings.requestPatience),
            stage: connection.stage)
    }

    /// Closes the oldest connection of the kind when there are as many as there may be.
    private mutating func makeRoom(isAdmin: Bool) {
        let ofKind = visits.lazy.filter { $0.value.connection.isAdmin == isAdmin }.map(\.key)
        guard ofKind.count >= (isAdmin ? settings.adminLimit : settings.monitorLimit), let oldest = ofKind.min() else {
            return
        }
        visits[oldest] = nil
    }

    private mutating func advance(_ tag: UInt64) {
        // An event of this round may be for a connection that has been closed in it.
        guard let visit = visits[tag] else { return }
        let time = UTCTime(nanosecondsSince1970: Clock.realtimeNanoseconds)
        let progress = visit.connection.advance(through: scratch, time: time) { question in
            answer(to: question, isAdmin: visit.connection.isAdmin, time: time)
        }
        follow(progress, of: visit, tag)
    }

    /// Has epoll report what the connection waits for, and moves the deadline when it has come further.
    private mutating func follow(_ progress: Connection.Progress, of visit: Visit, _ tag: UInt64) {
        guard case .waits(let events) = progress else {
            visits[tag] = nil
            return
        }
        var visit = visit
        if events != visit.events {
            epoll.modify(visit.connection.socket.number, events, tag: tag)
            visit.events = events
        }
        let stage = visit.connection.stage
        if stage != visit.stage {
            visit.stage = stage
            if stage == .answering { visit.deadline = deadline(settings.answerPatience) }
            if stage == .lingering { visit.deadline = deadline(settings.lingerPatience) }
        }
        visits[tag] = visit
    }

    private func deadline(_ patience: Duration) -> UInt64 { now + patience.milliseconds }

    /// Gives up on those whose time is over.
    private mutating func sweep() {
        nextSweep = now + 100
        if acceptAgain != 0, now >= acceptAgain { resumeAccepting() }
        for (tag, visit) in visits where now >= visit.deadline {
            let time = UTCTime(nanosecondsSince1970: Clock.realtimeNanoseconds)
            follow(visit.connection.giveUp(through: scratch, time: time), of: visit, tag)
        }
    }

    // MARK: Descriptors

    /// The listeners stay readable while there is no descriptor to accept with, so they are not asked for a moment.
    private mutating func pauseAccepting() {
        acceptAgain = now + 1000
        for door in Door.allCases { epoll.modify(listeners[door.rawValue].number, [], tag: door.rawValue) }
    }

    private mutating func resumeAccepting() {
        acceptAgain = 0
        for door in Door.allCases { epoll.modify(listeners[door.rawValue].number, .readable, tag: door.rawValue) }
    }

    // MARK: Answers

    private func answer(to question: Question, isAdmin: Bool, time: UTCTime) -> Answer {
        let status = board.current
        guard isAdmin else { return MonitorAnswer.to(question, status: status, time: time) }
        if question.path == "/metrics",
            visits.values.count(where: { $0.connection.holdsLongAnswer }) >= settings.longAnswerLimit
        {
            return .busy
        }
        let metrics = Metrics(
            status: status, workers: workers, buildVersion: settings.buildVersion, startTime: board.startTime)
        return AdminAnswer.to(question, status: status, stuck: pulse.stuck(at: .milliseconds(now)), metrics: metrics)
    }

    /// Makes a new certificate when this server's host name has become known or has changed.
    private mutating func certifyHostname() {
        guard let hostname = board.current.applied?.hostname, hostname != certified else { return }
        do {
            tls = try TLSServer(names: [hostname])
            certified = hostname
            logger.info("A certificate for the monitor endpoint was made", metadata: ["hostname": "\(hostname)"])
        } catch {
            // The one there was goes on serving; tried again with the next connection.
            logger.error("No certificate for the monitor endpoint could be made", metadata: ["reason": "\(error)"])
        }
    }
}

/// The three listeners; closed when they are let go.
private struct ListeningSockets: ~Copyable {
    private var sockets: [Socket] = []

    /// The monitor endpoint's two listen on the loopback only: whoever wants to reach them comes through the relay.
    init(admin: TransportAddress) throws(SystemCallError) {
        let loopback = TransportAddress(Address(ipv4: 0x7F00_0001), port: 0)
        for address in [admin, loopback, loopback] {
            let socket = try Socket.bound(to: address, deferAccept: false)
            sockets.append(socket)
            try socket.listen()
        }
    }

    deinit {
        for socket in sockets { socket.close() }
    }

    subscript(_ index: UInt64) -> Socket { sockets[Int(index)] }

    func addresses() throws(SystemCallError) -> Responder.Addresses {
        guard let admin = sockets[0].localAddress, let http = sockets[1].localAddress,
            let https = sockets[2].localAddress
        else {
            throw SystemCallError("getsockname", code: 9)
        }
        return Responder.Addresses(admin: admin, http: http, https: https)
    }
}
