import CAres
import CLinux
public import Domain
import Glibc

/// What DNS said about a name.
public enum NameAnswer: Sendable, Equatable {
    /// Addresses, in the order of the answer, and for how many seconds they hold: the least TTL of the addresses and of every CNAME on
    /// the way to them, as the server said it.
    case addresses([Address], seconds: UInt32)
    /// The name does not exist, or has no addresses: an answer, if not a welcome one.
    case nothing(String)
    /// There was no answer to be had.
    case failed(String)
}

/// Questions to DNS under way, by c-ares; for one thread, which polls it.
///
/// DNS only: `/etc/hosts` has no TTLs, so a name taken from there could never move.
@safe
public final class NameQueries {
    private var channel: ares_channel?
    private let ledger = Ledger()

    /// What the questions of one channel have come to. Each question holds it, since c-ares answers those that are still open while the
    /// channel is destroyed, when its owner can be reached no more.
    fileprivate final class Ledger {
        var finished: [(token: UInt64, answer: NameAnswer)] = []
        var underWay = 0
    }

    /// Questions that have been asked and not been answered yet.
    public var underWay: Int { ledger.underWay }

    /// Asks `servers`, or those of `/etc/resolv.conf` when there are none. Two tries of two seconds each: a name server that is slower
    /// than that is as good as dead, and the last good answer serves meanwhile.
    public init(servers: [TransportAddress]) throws(SystemCallError) {
        guard ares_library_init(ARES_LIB_INIT_ALL) == 0 else {
            throw SystemCallError("ares_library_init", code: ENOMEM)
        }
        var options = unsafe ares_options()
        unsafe options.timeout = 2000
        unsafe options.tries = 2
        let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS
        let lookups = unsafe strdup("b")
        defer { unsafe free(lookups) }
        unsafe options.lookups = lookups
        let status = unsafe ares_init_options(&channel, &options, mask)
        guard status == 0 else { throw SystemCallError("ares_init_options: \(NameQueries.text(status))", code: EINVAL) }
        guard !servers.isEmpty else { return }
        let list = servers.map(\.description).joined(separator: ",")
        let set = unsafe ares_set_servers_ports_csv(channel, list)
        guard set == 0 else {
            throw SystemCallError("ares_set_servers_ports_csv: \(NameQueries.text(set))", code: EINVAL)
        }
    }

    deinit { unsafe ares_destroy(channel) }

    /// Answers every open question with a failure.
    public func cancel() { unsafe ares_cancel(channel) }

    private final class Question {
        let token: UInt64
        let ledger: Ledger
        init(_ token: UInt64, _ ledger: Ledger) {
            self.token = token
            self.ledger = ledger
        }
    }

    /// Asks for the IPv4 and IPv6 addresses of `name`; `takeFinished` has the answer, under `token`, sooner or later.
    public func ask(_ name: DomainName, token: UInt64) {
        ledger.underWay += 1
        var hints = ares_addrinfo_hints()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = ARES_AI_NOSORT
        let question = unsafe Unmanaged.passRetained(Question(token, ledger))
        // With the final dot no search domain of this machine is tried.
        unsafe ares_getaddrinfo(
            channel, name.text + ".", nil, &hints,
            { context, status, _, result in
                guard let context = unsafe context else { return }
                let question = unsafe Unmanaged<Question>.fromOpaque(context).takeRetainedValue()
                unsafe question.ledger.finish(question.token, status, result)
            }, question.toOpaque())
    }

    /// The answers that have come since the last time.
    public func takeFinished() -> [(token: UInt64, answer: NameAnswer)] {
        let all = ledger.finished
        ledger.finished = []
        return all
    }

    // MARK: Polling

    /// Adds the sockets that wait for answers to `set`; the places they got.
    public func add(to set: inout PollSet) -> [(place: Int, descriptor: Int32)] {
        var sockets = InlineArray<16, ares_socket_t>(repeating: -1)
        var span = sockets.mutableSpan
        let bits = unsafe span.withUnsafeMutableBufferPointer { unsafe ares_getsock(channel, $0.baseAddress, 16) }
        return (0..<16).compactMap { index in
            let reads = bits & (1 << Int32(index)) != 0
            let writes = bits & (1 << Int32(index + 16)) != 0
            guard reads || writes else { return nil }
            return (set.add(sockets[index], readable: reads, writable: writes), sockets[index])
        }
    }

    /// For how many milliseconds to wait at most, so that a question's time-out is noticed.
    public func patience(atMost most: Int32) -> Int32 {
        guard underWay > 0 else { return most }
        var longest = timeval(tv_sec: Int(most) / 1000, tv_usec: Int(most % 1000) * 1000)
        var left = timeval()
        guard let wait = unsafe ares_timeout(channel, &longest, &left) else { return most }
        return unsafe Int32(clamping: wait.pointee.tv_sec * 1000 + wait.pointee.tv_usec / 1000 + 1)
    }

    /// Takes in what came at the places that `add` gave, and the time-outs that are due.
    public func process(_ set: PollSet, _ places: [(place: Int, descriptor: Int32)]) {
        for (place, descriptor) in places {
            unsafe ares_process_fd(
                channel, set.isReadable(place) ? descriptor : -1, set.isWritable(place) ? descriptor : -1)
        }
        unsafe ares_process_fd(channel, -1, -1)
    }

    fileprivate static func text(_ status: CInt) -> String { unsafe String(cString: ares_strerror(status)) }
}

extension NameQueries.Ledger {
    fileprivate func finish(_ token: UInt64, _ status: CInt, _ result: UnsafeMutablePointer<ares_addrinfo>?) {
        underWay -= 1
        defer { unsafe ares_freeaddrinfo(result) }
        guard status == 0, let result = unsafe result else {
            let isAnswer = status == ARES_ENOTFOUND || status == ARES_ENODATA
            let text = NameQueries.text(status)
            finished.append((token, isAnswer ? .nothing(text) : .failed(text)))
            return
        }
        var addresses: [Address] = []
        var seconds = UInt32.max
        var node = unsafe result.pointee.nodes
        while let current = unsafe node {
            unsafe seconds = min(seconds, UInt32(clamping: current.pointee.ai_ttl))
            var storage = sockaddr_storage()
            if let source = unsafe current.pointee.ai_addr,
                unsafe Int(current.pointee.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
            {
                unsafe memcpy(&storage, source, Int(current.pointee.ai_addrlen))
                if let peer = KernelAddress(storage: storage).transportAddress, !addresses.contains(peer.address) {
                    addresses.append(peer.address)
                }
            }
            unsafe node = current.pointee.ai_next
        }
        var alias = unsafe result.pointee.cnames
        while let current = unsafe alias {
            unsafe seconds = min(seconds, UInt32(clamping: current.pointee.ttl))
            unsafe alias = current.pointee.next
        }
        finished.append((token, addresses.isEmpty ? .nothing("no addresses") : .addresses(addresses, seconds: seconds)))
    }
}
