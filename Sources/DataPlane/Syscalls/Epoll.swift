public import CLinux

/// What epoll reports and is asked for; epoll_ctl(2) has the meanings.
public struct EpollEvents: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable public static var readable: EpollEvents { EpollEvents(rawValue: 0x001) }
    @inlinable public static var urgent: EpollEvents { EpollEvents(rawValue: 0x002) }
    @inlinable public static var writable: EpollEvents { EpollEvents(rawValue: 0x004) }
    @inlinable public static var error: EpollEvents { EpollEvents(rawValue: 0x008) }
    @inlinable public static var hangUp: EpollEvents { EpollEvents(rawValue: 0x010) }
    @inlinable public static var peerClosed: EpollEvents { EpollEvents(rawValue: 0x2000) }
    @inlinable public static var exclusive: EpollEvents { EpollEvents(rawValue: 0x1000_0000) }
    @inlinable public static var edgeTriggered: EpollEvents { EpollEvents(rawValue: 0x8000_0000) }
}

/// One epoll instance and the room for what a wait reports. Lives as long as its thread.
@safe
public struct Epoll: ~Copyable {
    @usableFromInline let number: Int32
    @usableFromInline let events: UnsafeMutablePointer<epoll_event>
    /// Enough to learn of many flows with one call, few enough that accepting is not put off for long.
    @inlinable public static var most: Int { 512 }

    public init() throws(SystemCallError) {
        number = Int32(try KernelAnswer(linux_epoll_create()).get("epoll_create1"))
        unsafe events = .allocate(capacity: Epoll.most)
    }

    deinit {
        _ = linux_close(number)
        unsafe events.deallocate()
    }

    @discardableResult
    @inlinable public func add(_ descriptor: Int32, _ events: EpollEvents, tag: UInt64) -> KernelAnswer {
        KernelAnswer(linux_epoll_control(number, EPOLL_CTL_ADD, descriptor, events.rawValue, tag))
    }

    @discardableResult
    @inlinable public func modify(_ descriptor: Int32, _ events: EpollEvents, tag: UInt64) -> KernelAnswer {
        KernelAnswer(linux_epoll_control(number, EPOLL_CTL_MOD, descriptor, events.rawValue, tag))
    }

    @discardableResult
    @inlinable public func remove(_ descriptor: Int32) -> KernelAnswer {
        KernelAnswer(linux_epoll_control(number, EPOLL_CTL_DEL, descriptor, 0, 0))
    }

    /// How many events there are, after at most so many milliseconds (-1: without end), `most` of them at the most. An
    /// interrupted wait reports what there is then.
    @inlinable public func wait(milliseconds: Int32) -> Int {
        let count = unsafe linux_epoll_wait(number, events, Int32(Epoll.most), milliseconds)
        return max(0, count)
    }

    @inlinable public func tag(_ index: Int) -> UInt64 { unsafe linux_event_tag(events + index) }
    @inlinable public func events(_ index: Int) -> EpollEvents { unsafe EpollEvents(rawValue: events[index].events) }
}
