public import CLinux
public import Domain
import Glibc
import Synchronization

/// A thread of our own, joined by whoever started it.
@safe
public struct Thread: ~Copyable, Sendable {
    private let handle: pthread_t

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts `body`. The name, at most 15 characters, is what `top -H` and the debugger show.
    public init(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        var handle = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body))
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            throw SystemCallError("pthread_create", code: code)
        }
        unsafe pthread_setname_np(handle, String(name.prefix(15)))
        self.handle = handle
    }

    /// Waits until the thread has ended.
    public consuming func join() { pthread_join(handle, nil) }
}

/// A thread among several, which a collection can hold although a thread is joined by consuming it.
public final class JoinableThread {
    private var thread: Thread?

    public init(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        thread = try Thread(named: name, body)
    }

    /// Waits until the thread has ended; the second time there is nothing to wait for.
    public func join() { thread.take()?.join() }
}

/// Messages to one thread, from any: a lock held for an append, and a descriptor that wakes the reader's epoll or poll.
///
/// The reader drains it between two rounds of its events; nothing on the hot path touches it.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let bell: Int32
    private let limit: Int

    /// Holds at most `limit` messages; beyond that the sender is told.
    public init(limit: Int = .max) throws(SystemCallError) {
        bell = Int32(try KernelAnswer(linux_eventfd()).get("eventfd"))
        self.limit = limit
    }

    deinit { _ = linux_close(bell) }

    /// The descriptor that is readable while there is mail.
    public var descriptor: Int32 { bell }

    /// False when the box is full, and the message dropped.
    @discardableResult
    public func post(_ message: Message) -> Bool {
        let (accepted, first) = messages.withLock { messages in
            guard messages.count < limit else { return (false, false) }
            messages.append(message)
            return (true, messages.count == 1)
        }
        if first { ring() }
        return accepted
    }

    public var isEmpty: Bool { messages.withLock { $0.isEmpty } }

    /// Everything posted since the last time, in order.
    public func drain() -> [Message] {
        var count: UInt64 = 0
        // Silenced before it is emptied: a message posted in between rings again.
        unsafe _ = linux_read(bell, &count, 8)
        return messages.withLock { messages in
            let all = messages
            messages = []
            return all
        }
    }

    private func ring() {
        var one: UInt64 = 1
        unsafe _ = linux_write(bell, &one, 8)
    }
}

/// The clocks that the data plane reads.
public enum Clock {
    /// Nanoseconds since some fixed moment; never goes back.
    @inlinable public static var monotonicNanoseconds: UInt64 { linux_monotonic_nanoseconds() }
    /// Nanoseconds since 1970 by the system's clock, which may be set at any time: for people, never for decisions.
    public static var realtimeNanoseconds: UInt64 { linux_realtime_nanoseconds() }
}

/// What the process asks of the kernel as a whole.
public enum Process {
    /// Must run before the first thread is started, so that every thread inherits it: signals go to `awaitSignal`
    /// alone.
    public static func blockSignals() { linux_block_signals() }

    /// What `blockSignals` does too: no signal for a write to a connection that is no more.
    public static func ignoreBrokenPipes() { linux_ignore_broken_pipes() }

    /// SIGTERM, SIGINT or SIGHUP when one is pending within so many milliseconds, else nil.
    public static func awaitSignal(milliseconds: UInt32) -> Int32? {
        let signal = linux_await_signal(milliseconds)
        return signal == 0 ? nil : signal
    }

    /// Writes a line to standard error, past any log; waits a second for its reader at most.
    public static func complain(_ text: String) { LineSink.standardError.write(Array(text.utf8), within: 1000) }

    /// The environment, as far as it is text.
    public static var environment: [String: String] {
        var all: [String: String] = [:]
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { all[String(pair[0])] = String(pair[1]) }
            unsafe entry += 1
        }
        return all
    }

    /// The addresses of this machine's interfaces, but for those of its loopback.
    public static var ownAddresses: Set<Address> {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&first) == 0 else { return [] }
        defer { unsafe freeifaddrs(first) }
        var all: Set<Address> = []
        var entry = unsafe first
        while let interface = unsafe entry {
            unsafe entry = interface.pointee.ifa_next
            guard unsafe interface.pointee.ifa_flags & UInt32(IFF_LOOPBACK) == 0,
                let address = unsafe interface.pointee.ifa_addr
            else { continue }
            var storage = sockaddr_storage()
            switch unsafe Int32(address.pointee.sa_family) {
            case AF_INET: unsafe memcpy(&storage, address, MemoryLayout<sockaddr_in>.size)
            case AF_INET6: unsafe memcpy(&storage, address, MemoryLayout<sockaddr_in6>.size)
            default: continue
            }
            if let known = KernelAddress(storage: storage).transportAddress { all.insert(known.address) }
        }
        return all
    }

    /// Ends the process at once, whatever its threads do.
    public static func exit(_ code: Int32) -> Never { Glibc._exit(code) }

    /// Our own process number.
    public static var number: Int32 { getpid() }

    public static let terminate = SIGTERM
    public static let interrupt = SIGINT
    public static let hangUp = SIGHUP

    /// The load average of the last minute for each processor, times 100; 0 when it cannot be told.
    public static var loadPercent: UInt32 {
        var average = 0.0
        guard unsafe getloadavg(&average, 1) == 1 else { return 0 }
        return UInt32(min(max(0, average * 100 / Double(processors)), 1_000_000))
    }

    public static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
