import Domain
import Logging
import Syscalls

/// How long somebody who asks this process itself may take, and how many may be there at a time. Each has a default that serves.
struct AnsweringBounds: Sendable {
    /// Connections at one time. When there are as many, the oldest goes.
    var connections: Int
    /// From accept until the whole request head has come, the TLS handshake included.
    var requestPatience: Duration = .seconds(5)
    /// From there until the client has taken the whole answer: as long as a scraper waits by default.
    var answerPatience: Duration = .seconds(10)
    /// For the client to close, once it has everything.
    var lingerPatience: Duration = .seconds(1)
}

/// Where one is asked, and what is spoken there.
struct AnsweringDoor {
    let socket: Socket
    let usesTLS: Bool
}

/// The rounds of events of a thread that answers requests about this process. Who asks at which doors, and what the answers are, is its owner's.
struct AnsweringLoop: ~Copyable {
    private struct Visit {
        let connection: AnsweringConnection
        /// Milliseconds of the monotonic clock.
        var deadline: UInt64
        var stage: AnsweringConnection.Stage
    }

    /// What an answer may depend on beside the question.
    struct Moment {
        let time: UTCTime
        /// Long answers that are being written.
        let longAnswers: Int
    }

    /// Deadlines are looked at so often, and matter to nobody who is quicker.
    private static let sweepInterval: UInt64 = 100
    /// After descriptors had run out.
    private static let acceptPause: UInt64 = 1000

    private let doors: [AnsweringDoor]
    private let bounds: AnsweringBounds
    private let mailbox: Mailbox<AnsweringMessage>
    private let logger: Logger
    private let answer: (Question, Moment) -> Answer
    /// For doors that use TLS; nil where none does.
    private var certificate: MonitorCertificate?
    private var events: EventLoop<Visit>
    private let scratch = BufferPool.scratch()
    private var nextSweep: UInt64 = 0
    /// When to accept again; 0 while accepting.
    private var acceptAgain: UInt64 = 0
    private var isStopped = false

    /// The doors are the caller's to close, after the loop has ended.
    init(
        at doors: [AnsweringDoor], within bounds: AnsweringBounds, certificate: consuming MonitorCertificate?,
        mailbox: Mailbox<AnsweringMessage>, pulse: Pulse, logger: Logger,
        answer: @escaping (Question, Moment) -> Answer
    ) throws(SystemCallError) {
        let events = try EventLoop<Visit>(mailbox: mailbox.descriptor, pulse: pulse)
        for (number, door) in doors.enumerated() { try events.add(listener: door.socket, number: number) }
        self.doors = doors
        self.bounds = bounds
        self.certificate = certificate
        self.mailbox = mailbox
        self.logger = logger
        self.answer = answer
        self.events = events
    }

    /// Answers until it is told to stop, whatever is open then.
    mutating func run() {
        while !isStopped {
            let count = events.wait(until: events.count == 0 && acceptAgain == 0 ? .max : nextSweep)
            for index in 0..<count {
                switch events.event(index) {
                // The only message there is.
                case .mail: if !mailbox.drain().isEmpty { isStopped = true }
                case .listener(let door): accept(at: door)
                case .connection(let tag): advance(tag)
                }
            }
            if events.now >= nextSweep { sweep() }
        }
    }

    // MARK: Connections

    private mutating func accept(at door: Int) {
        // A round takes a few, so that those already here get their turn.
        for _ in 0..<32 {
            let answer = doors[door].socket.accept()
            if answer.wouldBlock { return }
            if answer.isExhaustion { return pauseAccepting() }
            // Whoever it was has left again; the next may not have.
            guard !answer.isError else { continue }
            welcome(Socket(number: Int32(truncatingIfNeeded: answer.value)), at: door)
        }
    }

    private mutating func welcome(_ socket: Socket, at door: Int) {
        makeRoom()
        let connection: AnsweringConnection
        if doors[door].usesTLS {
            guard let secured = certificate?.connection(over: socket) else { return socket.close() }
            connection = AnsweringConnection(over: socket, secured: secured)
        } else {
            connection = AnsweringConnection(over: socket, secured: nil)
        }
        let visit = Visit(
            connection: connection, deadline: deadline(bounds.requestPatience), stage: connection.stage)
        do {
            _ = try events.add(visit, over: socket, awaiting: .readable)
        } catch {
            complain(error)
        }
    }

    /// Closes the oldest connection when there are as many as there may be.
    private mutating func makeRoom() {
        guard events.count >= bounds.connections, let oldest = events.tags.min() else { return }
        events.remove(oldest)
    }

    private mutating func advance(_ tag: ConnectionTag) {
        // An event of this round may be for a connection that has been closed in it.
        guard let visit = events[tag] else { return }
        let time = UTCTime(nanosecondsSince1970: Clock.realtimeNanoseconds)
        let progress = visit.connection.advance(through: scratch, time: time) { question in
            let longAnswers = events.connections.count { $0.connection.holdsLongAnswer }
            return answer(question, Moment(time: time, longAnswers: longAnswers))
        }
        follow(progress, of: visit, tag)
    }

    /// Waits for what the connection waits for, and moves the deadline when it has come further.
    private mutating func follow(_ progress: AnsweringConnection.Progress, of visit: Visit, _ tag: ConnectionTag) {
        guard case .waits(let wanted) = progress else { return events.remove(tag) }
        do {
            try events.await(wanted, of: tag)
        } catch {
            complain(error)
            return events.remove(tag)
        }
        let stage = visit.connection.stage
        guard stage != visit.stage else { return }
        var visit = visit
        visit.stage = stage
        if stage == .answering { visit.deadline = deadline(bounds.answerPatience) }
        if stage == .lingering { visit.deadline = deadline(bounds.lingerPatience) }
        events[tag] = visit
    }

    private func deadline(_ patience: Duration) -> UInt64 { events.now + patience.milliseconds }

    /// Gives up on those whose time is over.
    private mutating func sweep() {
        nextSweep = events.now + AnsweringLoop.sweepInterval
        if acceptAgain != 0, events.now >= acceptAgain { resumeAccepting() }
        for tag in Array(events.tags) {
            guard let visit = events[tag], events.now >= visit.deadline else { continue }
            let time = UTCTime(nanosecondsSince1970: Clock.realtimeNanoseconds)
            follow(visit.connection.giveUp(through: scratch, time: time), of: visit, tag)
        }
    }

    private func complain(_ error: SystemCallError) {
        logger.error("A connection to this process was closed unanswered", metadata: ["reason": "\(error)"])
    }

    // MARK: Descriptors

    private mutating func pauseAccepting() {
        acceptAgain = events.now + AnsweringLoop.acceptPause
        listen(false)
    }

    private mutating func resumeAccepting() {
        acceptAgain = 0
        listen(true)
    }

    private func listen(_ isListening: Bool) {
        for (number, door) in doors.enumerated() {
            do {
                try events.listen(isListening, at: door.socket, number: number)
            } catch {
                logger.critical("A listener of this process is lost", metadata: ["reason": "\(error)"])
            }
        }
    }
}

enum AnsweringMessage: Sendable {
    case stop
}

/// Bound and listening sockets, closed when they are let go.
struct ListeningSockets: ~Copyable {
    private var sockets: [Socket] = []
    private(set) var addresses: [TransportAddress] = []

    init(at wanted: [TransportAddress]) throws(SystemCallError) {
        for address in wanted {
            let socket = try Socket.bound(to: address, deferAccept: false)
            sockets.append(socket)
            try socket.listen()
            guard let local = socket.localAddress else { throw SystemCallError("getsockname", code: 9) }
            addresses.append(local)
        }
    }

    deinit {
        for socket in sockets { socket.close() }
    }

    subscript(_ index: Int) -> Socket { sockets[index] }
}
