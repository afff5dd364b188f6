import Domain
import Logging
import Syscalls

/// How long somebody who asks this process itself may take, and how many may be there at a time. Each has a default
/// that serves.
struct AnsweringBounds: Sendable {
    /// Connections at one time. When there are as many, the oldest goes; but where some callers are known, these are
    /// the strangers, and newcomers are refused.
    var connections: Int
    /// Where some callers are known: their connections at one time.
    var known = 256
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
    /// Whoever connects is the relay, and says in a PROXY header for whom.
    var isBehindRelay = false
}

/// How a door that anyone can reach tells those whom it must answer from strangers.
struct AnsweringGuests {
    /// Whether the caller of an address is known; `now` in milliseconds of the monotonic clock.
    let isKnown: (_ address: Address, _ now: UInt64) -> Bool
    /// Told of each caller that was refused since the room of its kind is full.
    let refused: () -> Void
}

/// The rounds of events of a thread that answers requests about this process. Who asks at which doors, and what the
/// answers are, is its owner's.
struct AnsweringLoop: ~Copyable {
    private enum Caller {
        /// The relay has not said yet whose connection it is.
        case unnamed
        case known
        case stranger
    }

    private struct Visit {
        let connection: AnsweringConnection
        let door: Int
        var caller: Caller
        /// Nil when nobody has said.
        var address: Address?
        /// Milliseconds of the monotonic clock.
        var deadline: UInt64
        var stage: AnsweringConnection.Stage
    }

    /// What an answer may depend on beside the question.
    struct Moment {
        let time: UTCTime
        /// Milliseconds of the monotonic clock.
        let now: UInt64
        /// From where it was asked, if that is known.
        let address: Address?
        /// Long answers that are being written.
        let longAnswers: Int
    }

    /// Deadlines are looked at so often, and matter to nobody who is quicker.
    private static let sweepInterval: UInt64 = 100
    /// What strangers have of one round, in connections that go on: a TLS handshake takes a millisecond, and those that
    /// are known come first again after so many.
    private static let strangersInRound = 8
    /// After descriptors had run out.
    private static let acceptPause: UInt64 = 1000

    private let doors: [AnsweringDoor]
    private let bounds: AnsweringBounds
    private let mailbox: Mailbox<AnsweringMessage>
    private let logger: Logger
    private let guests: AnsweringGuests?
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
        mailbox: Mailbox<AnsweringMessage>, pulse: Pulse, logger: Logger, guests: AnsweringGuests? = nil,
        answer: @escaping (Question, Moment) -> Answer
    ) throws(SystemCallError) {
        let events = try EventLoop<Visit>(mailbox: mailbox.descriptor, pulse: pulse)
        for (number, door) in doors.enumerated() { try events.add(listener: door.socket, number: number) }
        self.doors = doors
        self.bounds = bounds
        self.certificate = certificate
        self.mailbox = mailbox
        self.logger = logger
        self.guests = guests
        self.answer = answer
        self.events = events
    }

    /// Answers until it is told to stop, whatever is open then.
    mutating func run() {
        while !isStopped {
            let count = events.wait(until: events.count == 0 && acceptAgain == 0 ? .max : nextSweep)
            var strangers: [ConnectionTag] = []
            for index in 0..<count {
                switch events.event(index) {
                // The only message there is.
                case .mail: if !mailbox.drain().isEmpty { isStopped = true }
                case .listener(let door): accept(at: door)
                case .connection(let tag):
                    if events[tag]?.caller == .stranger { strangers.append(tag) } else { advance(tag) }
                }
            }
            // The others are reported again.
            for tag in strangers.prefix(AnsweringLoop.strangersInRound) { advance(tag) }
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
        guard hasRoom() else {
            guests?.refused()
            return socket.reset()
        }
        let isBehindRelay = doors[door].isBehindRelay
        let connection = AnsweringConnection(over: socket, isIntroduced: isBehindRelay)
        var visit = Visit(
            connection: connection, door: door, caller: .unnamed, address: nil,
            deadline: deadline(bounds.requestPatience), stage: connection.stage)
        if !isBehindRelay, !receive(&visit, from: socket.peerAddress?.address) { return }
        do {
            _ = try events.add(visit, over: socket, awaiting: .readable)
        } catch {
            complain(error)
        }
    }

    /// Whether one more may come in. Where everybody is alike, the oldest makes room.
    private mutating func hasRoom() -> Bool {
        guard guests == nil else { return events.count < bounds.connections + 2 * bounds.known }
        if events.count >= bounds.connections, let oldest = events.tags.min() { events.remove(oldest) }
        return true
    }

    /// Lets a caller in of whom it is now known who it is; false when the room of its kind is full.
    private mutating func receive(_ visit: inout Visit, from address: Address?) -> Bool {
        visit.address = address
        if let guests {
            let now = events.now
            let isKnown = address.map { guests.isKnown($0, now) } ?? false
            let caller: Caller = isKnown ? .known : .stranger
            visit.caller = caller
            let limit = caller == .known ? bounds.known : bounds.connections
            // Refused before anybody is dropped: who is being answered is answered.
            guard events.connections.count(where: { $0.caller == caller }) < limit else {
                guests.refused()
                visit.connection.cut()
                return false
            }
        }
        guard doors[visit.door].usesTLS else { return true }
        guard let secured = certificate?.connection(over: visit.connection.socket) else { return false }
        visit.connection.secure(by: secured)
        return true
    }

    /// Reads whose connection it is, and lets it in.
    private mutating func introduce(_ tag: ConnectionTag) {
        guard var visit = events[tag] else { return }
        switch visit.connection.introduce(through: scratch) {
        case .waits: return
        case .closed: return events.remove(tag)
        case .made(let address):
            guard receive(&visit, from: address) else { return events.remove(tag) }
            visit.stage = visit.connection.stage
            events[tag] = visit
            // A stranger's turn comes after those of others.
            if visit.caller != .stranger { advance(tag) }
        }
    }

    private mutating func advance(_ tag: ConnectionTag) {
        // An event of this round may be for a connection that has been closed in it.
        guard let visit = events[tag] else { return }
        guard visit.stage != .introducing else { return introduce(tag) }
        let time = UTCTime(nanosecondsSince1970: Clock.realtimeNanoseconds)
        let progress = visit.connection.advance(through: scratch, time: time) { question in
            let longAnswers = events.connections.count { $0.connection.holdsLongAnswer }
            return answer(
                question, Moment(time: time, now: events.now, address: visit.address, longAnswers: longAnswers))
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
