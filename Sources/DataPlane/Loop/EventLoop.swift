import Syscalls

/// One connection of a loop. No two of a loop's life have the same, so an event that comes late is about nobody and not
/// about somebody else.
struct ConnectionTag: Hashable, Comparable, Sendable {
    fileprivate let number: UInt64

    /// The younger has the higher.
    static func < (one: ConnectionTag, other: ConnectionTag) -> Bool { one.number < other.number }
}

/// What one thread waits for: its mailbox, its listeners, and the connections that it keeps. Never used by two threads.
///
///     wait ──▶ an event each: .mail, .listener, .connection ──▶ more ──▶ … ──▶ none
///
/// The loop keeps its connections and closes none: that is for them to do when they are let go of. The kernel forgets a
/// socket that is closed.
struct EventLoop<Connection>: ~Copyable {
    enum Event {
        case mail
        /// By the number with which it was added.
        case listener(Int)
        case connection(ConnectionTag)
    }

    private struct Entry {
        var connection: Connection
        let socket: Socket
        var events: EpollEvents
    }

    /// Every loop looks around once a second at least, so that one that is stuck can be told from one that has nothing
    /// to do.
    static var longestWait: UInt64 { 1000 }
    /// One wait reports some hundreds of events at most; so many waits are one round, however much happens meanwhile.
    private static var waitsInRound: Int { 16 }
    private static var mailbox: UInt64 { 0 }
    private static var firstListener: UInt64 { 1 }
    private static var firstConnection: UInt64 { 1024 }

    private let epoll: Epoll
    private let pulse: Pulse
    private var entries: [ConnectionTag: Entry] = [:]
    private var nextTag = EventLoop.firstConnection
    private var waits = 0
    /// Milliseconds of the monotonic clock, read after each wait.
    private(set) var now: UInt64

    /// Waits for mail from the beginning on: `mailbox` is the descriptor of one. Each wait is a beat of `pulse`.
    init(mailbox: Int32, pulse: Pulse) throws(SystemCallError) {
        let epoll = try Epoll()
        _ = try epoll.add(mailbox, .readable, tag: EventLoop.mailbox).get("epoll_ctl for a mailbox")
        self.epoll = epoll
        self.pulse = pulse
        now = Clock.monotonicNanoseconds / 1_000_000
    }

    // MARK: Waiting

    /// Waits until something happens, or until `time`, or for a second, whichever is first. Answers how many events
    /// there are.
    mutating func wait(until time: UInt64) -> Int {
        pulse.beat()
        readClock()
        waits = 1
        let patience = min(time > now ? time - now : 0, EventLoop.longestWait)
        return collect(milliseconds: Int32(clamping: patience))
    }

    /// What has happened since, without waiting. Who judges others for having been silent takes everything first: while
    /// this thread was held up, more may have come than one wait can report. 0 as well when the round has been long
    /// enough.
    mutating func more() -> Int {
        guard waits < EventLoop.waitsInRound else { return 0 }
        waits += 1
        return collect(milliseconds: 0)
    }

    /// One of those that the last `wait` or `more` has counted.
    func event(_ index: Int) -> Event {
        let tag = epoll.tag(index)
        if tag == EventLoop.mailbox { return .mail }
        if tag < EventLoop.firstConnection { return .listener(Int(tag - EventLoop.firstListener)) }
        return .connection(ConnectionTag(number: tag))
    }

    private mutating func collect(milliseconds: Int32) -> Int {
        let count = epoll.wait(milliseconds: milliseconds)
        readClock()
        return count
    }

    private mutating func readClock() { now = Clock.monotonicNanoseconds / 1_000_000 }

    // MARK: Listeners

    /// Tells of callers at a listening socket, which has the `number` from 0 on.
    func add(listener: Socket, number: Int) throws(SystemCallError) {
        _ = try epoll.add(listener.number, .readable, tag: tag(ofListener: number)).get("epoll_ctl for a listener")
    }

    /// Whether callers at it are told of. It stays readable while somebody waits, so a thread that cannot accept must
    /// not look at it.
    func listen(_ isListening: Bool, at listener: Socket, number: Int) throws(SystemCallError) {
        let events: EpollEvents = isListening ? .readable : []
        _ = try epoll.modify(listener.number, events, tag: tag(ofListener: number)).get("epoll_ctl for a listener")
    }

    private func tag(ofListener number: Int) -> UInt64 {
        let tag = EventLoop.firstListener + UInt64(number)
        precondition(tag < EventLoop.firstConnection)
        return tag
    }

    // MARK: Connections

    var count: Int { entries.count }
    var tags: some Collection<ConnectionTag> { entries.keys }
    var connections: some Collection<Connection> { entries.values.lazy.map(\.connection) }

    /// Keeps a connection and waits for `events` of its socket. When it throws, the connection is the caller's still.
    mutating func add(
        _ connection: Connection, over socket: Socket, awaiting events: EpollEvents
    ) throws(SystemCallError) -> ConnectionTag {
        _ = try epoll.add(socket.number, events, tag: nextTag).get("epoll_ctl for a connection")
        let tag = ConnectionTag(number: nextTag)
        nextTag += 1
        entries[tag] = Entry(connection: connection, socket: socket, events: events)
        return tag
    }

    /// A connection that is kept; nil for one that has gone. One that has gone does not come back by being set.
    subscript(_ tag: ConnectionTag) -> Connection? {
        get { entries[tag]?.connection }
        set {
            guard let newValue else { return entries[tag] = nil }
            entries[tag]?.connection = newValue
        }
    }

    /// Waits for these events of a connection from now on. When it throws, nobody would ever hear of the connection
    /// again: its owner must let go of it.
    mutating func await(_ events: EpollEvents, of tag: ConnectionTag) throws(SystemCallError) {
        guard let entry = entries[tag], entry.events != events else { return }
        _ = try epoll.modify(entry.socket.number, events, tag: tag.number).get("epoll_ctl for a connection")
        entries[tag]?.events = events
    }

    /// Lets go of a connection, whose owner closes it by letting go as well.
    mutating func remove(_ tag: ConnectionTag) { entries[tag] = nil }
}
