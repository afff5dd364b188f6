import CAres
import CLinux
public import Domain
import Glibc

/// How long a question is repeated before it has failed.
public enum QuestionPatience: Sendable, CaseIterable {
    /// Three times for each server, with 0.6 s, 1.2 s and 2.4 s for the answer (c-ares takes up to 7/16 off, at
    /// random): a lost packet, and a dead server before a live one, cost half a second and not the answer.
    case usual
    /// Once for each server, for two seconds: for names that have failed before, of which there may be thousands.
    case brief
}

/// Questions to DNS under way, by c-ares; for one thread, which polls it.
///
/// DNS only: `/etc/hosts` has no TTLs, so a name taken from there could never move. Replies are judged here
/// (`NameReply`): to `ares_getaddrinfo` a referral, a loop of aliases and a malformed record are all a name that has no
/// addresses.
///
/// Questions go through channels of c-ares that each take some hundreds and are then left to end. So questions are
/// spread over many source ports, which those who guess answers have to guess too, and over many receive buffers: one
/// holds about 270 answers, and thousands may come at once.
public final class NameQueries {
    /// The most servers that are asked: c-ares tells of 16 sockets for each channel (`ARES_GETSOCK_MAXNUM`), and has
    /// two for each server.
    public static let mostServers = 8
    private static let questionsPerChannel = 256
    /// Until another source port is taken although the channel has room.
    private static let channelAge: UInt64 = 60_000_000_000
    /// So many answers in a row that came only from a second try: the first server is dead or lame, and another is
    /// asked first.
    private static let lateAnswers = 8

    private var servers: [TransportAddress]
    /// Those that have questions under way, and for each patience the last, which takes more.
    private var channels: [AresChannel] = []
    private var current: [QuestionPatience: AresChannel] = [:]
    private var lateInRow = 0
    /// Questions that could not even be asked.
    private var failures: [(token: UInt64, answer: NameAnswer)] = []

    /// Asks `servers`, or those of `/etc/resolv.conf` when there are none.
    public init(servers: [TransportAddress]) throws(SystemCallError) {
        self.servers = Array(servers.prefix(NameQueries.mostServers))
        // Whether c-ares works at all is found out now, and not with the first question.
        _ = try channel(for: .usual)
    }

    /// Questions that have been asked and not been answered yet.
    public var underWay: Int { channels.reduce(0) { $0 + $1.underWay } }

    /// Asks for the addresses of `name` in one family; `takeFinished` has the answer, under `token`, sooner or later.
    public func ask(_ name: DomainName, _ family: Address.Family, _ patience: QuestionPatience, token: UInt64) {
        do {
            try channel(for: patience).ask(name, family, token: token)
        } catch {
            failures.append((token, .failed(.ours)))
        }
    }

    /// The answers that have come since the last time.
    public func takeFinished() -> [(token: UInt64, answer: NameAnswer)] {
        var all = failures
        failures = []
        for channel in channels {
            for finished in channel.takeFinished() {
                all.append((finished.token, finished.answer))
                if case .failed = finished.answer { continue }
                lateInRow = finished.isLate ? lateInRow + 1 : 0
            }
        }
        if lateInRow >= NameQueries.lateAnswers { preferNextServer() }
        channels.removeAll { $0.underWay == 0 && !isCurrent($0) }
        return all
    }

    private func isCurrent(_ channel: AresChannel) -> Bool { current.values.contains { $0 === channel } }

    private func channel(for patience: QuestionPatience) throws(SystemCallError) -> AresChannel {
        let now = Clock.monotonicNanoseconds
        if let channel = current[patience], channel.asked < NameQueries.questionsPerChannel,
            now - channel.begun < NameQueries.channelAge
        {
            return channel
        }
        let channel = try AresChannel(servers: servers, patience, now: now)
        current[patience] = channel
        channels.append(channel)
        return channel
    }

    private func preferNextServer() {
        lateInRow = 0
        guard servers.count > 1 else { return }
        servers.append(servers.removeFirst())
        current = [:]
    }

    // MARK: Polling

    private var places: [(place: Int, descriptor: Int32, channel: AresChannel)] = []

    /// Adds the sockets that wait for answers to `set`.
    public func add(to set: inout PollSet) {
        places.removeAll(keepingCapacity: true)
        for channel in channels where channel.underWay > 0 {
            channel.forEachSocket { descriptor, reads, writes in
                places.append((set.add(descriptor, readable: reads, writable: writes), descriptor, channel))
            }
        }
    }

    /// For how many milliseconds to wait at most, so that questions are repeated and end in time.
    ///
    /// c-ares knows to the microsecond, but looks at each question under way to say so.
    public func patience(atMost most: Int32) -> Int32 {
        // Some questions are answered while they are asked, as when no packet can be sent.
        if !failures.isEmpty || channels.contains(where: { $0.hasFinished }) { return 0 }
        return underWay > 0 ? min(most, 50) : most
    }

    /// Takes in what came at the sockets that `add` gave, and the time-outs that are due.
    public func process(_ set: PollSet) {
        for (place, descriptor, channel) in places {
            channel.process(descriptor, isReadable: set.isReadable(place), isWritable: set.isWritable(place))
        }
        for channel in channels where channel.underWay > 0 { channel.processTimeouts() }
    }
}

/// One `ares_channel`, and the questions asked through it.
@safe
private final class AresChannel {
    private var handle: ares_channel?
    private let ledger = Ledger()
    /// Nanoseconds of the monotonic clock.
    let begun: UInt64
    private(set) var asked = 0

    /// What the questions of a channel have come to. Each question holds it, since c-ares answers those that are still
    /// open while the channel is destroyed, when its owner can be reached no more.
    final class Ledger {
        var finished: [(token: UInt64, answer: NameAnswer, isLate: Bool)] = []
        var underWay = 0
    }

    final class Question {
        let token: UInt64
        let name: DomainName
        let family: Address.Family
        let ledger: Ledger
        init(_ token: UInt64, _ name: DomainName, _ family: Address.Family, _ ledger: Ledger) {
            (self.token, self.name, self.family, self.ledger) = (token, name, family, ledger)
        }
    }

    /// Once for the process, however many threads ask: the call is not thread-safe (ares_library_init(3)).
    private static let isLibraryReady = ares_library_init(ARES_LIB_INIT_ALL) == 0

    init(servers: [TransportAddress], _ patience: QuestionPatience, now: UInt64) throws(SystemCallError) {
        begun = now
        guard AresChannel.isLibraryReady else {
            throw SystemCallError("ares_library_init", code: ENOMEM)
        }
        var options = unsafe ares_options()
        switch patience {
        case .usual: unsafe (options.timeout, options.tries) = (600, 3)
        case .brief: unsafe (options.timeout, options.tries) = (2000, 1)
        }
        // A server that says that it failed is asked no second time in the same breath; where there is another, that
        // one is asked.
        unsafe options.flags = servers.count == 1 ? ARES_FLAG_NOCHECKRESP : 0
        let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_FLAGS
        // Questions to servers are all that is asked here; c-ares looks into nsswitch.conf for this when it is not
        // told.
        let lookups = unsafe strdup("b")
        defer { unsafe free(lookups) }
        unsafe options.lookups = lookups
        let status = unsafe ares_init_options(&handle, &options, mask)
        guard status == 0 else { throw SystemCallError("ares_init_options: \(AresChannel.text(status))", code: EINVAL) }
        guard !servers.isEmpty else { return }
        let list = servers.map(\.description).joined(separator: ",")
        let set = unsafe ares_set_servers_ports_csv(handle, list)
        guard set == 0 else {
            throw SystemCallError("ares_set_servers_ports_csv: \(AresChannel.text(set))", code: EINVAL)
        }
    }

    deinit { unsafe ares_destroy(handle) }

    var underWay: Int { ledger.underWay }
    var hasFinished: Bool { !ledger.finished.isEmpty }

    func ask(_ name: DomainName, _ family: Address.Family, token: UInt64) {
        asked += 1
        ledger.underWay += 1
        let question = unsafe Unmanaged.passRetained(Question(token, name, family, ledger))
        // With the final dot no search domain of this machine is tried. Class IN; type A or AAAA.
        unsafe ares_query(
            handle, name.text + ".", 1, family == .ipv4 ? 1 : 28,
            { context, status, timeouts, octets, count in
                guard let context = unsafe context else { return }
                let question = unsafe Unmanaged<Question>.fromOpaque(context).takeRetainedValue()
                let reply = unsafe UnsafeBufferPointer(start: octets, count: octets == nil ? 0 : Int(max(0, count)))
                unsafe question.ledger.finish(question, status, isLate: timeouts > 0, reply)
            }, question.toOpaque())
    }

    func takeFinished() -> [(token: UInt64, answer: NameAnswer, isLate: Bool)] {
        guard !ledger.finished.isEmpty else { return [] }
        let all = ledger.finished
        ledger.finished = []
        return all
    }

    func forEachSocket(_ body: (_ descriptor: Int32, _ reads: Bool, _ writes: Bool) -> Void) {
        var sockets = InlineArray<16, ares_socket_t>(repeating: -1)
        var span = sockets.mutableSpan
        let bits = unsafe span.withUnsafeMutableBufferPointer { unsafe ares_getsock(handle, $0.baseAddress, 16) }
        for index in 0..<16 {
            let reads = bits & (1 << Int32(index)) != 0
            let writes = bits & (1 << Int32(index + 16)) != 0
            if reads || writes { body(sockets[index], reads, writes) }
        }
    }

    func process(_ descriptor: Int32, isReadable: Bool, isWritable: Bool) {
        guard isReadable || isWritable else { return }
        unsafe ares_process_fd(handle, isReadable ? descriptor : -1, isWritable ? descriptor : -1)
    }

    func processTimeouts() { unsafe ares_process_fd(handle, -1, -1) }

    fileprivate static func text(_ status: CInt) -> String { unsafe String(cString: ares_strerror(status)) }
}

extension AresChannel.Ledger {
    /// Takes in what a question has come to. Where there is a reply, it alone is judged: the status is what c-ares
    /// takes it for.
    fileprivate func finish(
        _ question: AresChannel.Question, _ status: CInt, isLate: Bool, _ reply: UnsafeBufferPointer<UInt8>
    ) {
        underWay -= 1
        let answer =
            unsafe reply.isEmpty
            ? NameAnswer(status: status) : NameReply.judge(reply.span, asked: question.name, question.family)
        finished.append((question.token, answer, isLate))
    }
}

extension NameAnswer {
    /// What c-ares means when it has no reply.
    fileprivate init(status: CInt) {
        self =
            switch status {
            // Of a name below .onion, which is not to be asked for (RFC 7686).
            case ARES_ENOTFOUND: .nothing("no such name")
            case ARES_ETIMEOUT: .failed(.timedOut)
            case ARES_ECONNREFUSED: .failed(.unreachable)
            case ARES_ESERVFAIL: .failed(.serverFailure)
            case ARES_EREFUSED, ARES_ENOTIMP: .failed(.refused)
            case ARES_ENOMEM, ARES_ECANCELLED, ARES_EDESTRUCTION: .failed(.ours)
            default: .failed(.malformed)
            }
    }
}
