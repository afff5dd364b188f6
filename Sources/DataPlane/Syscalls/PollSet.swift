import CLinux
import Glibc

/// The descriptors that a thread off the hot path waits for; built anew for each wait.
public struct PollSet {
    private var entries: [pollfd] = []

    public init() {}

    public mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// Adds a descriptor and answers its place.
    @discardableResult
    public mutating func add(_ descriptor: Int32, readable: Bool = true, writable: Bool = false) -> Int {
        let events = (readable ? Int16(POLLIN) : 0) | (writable ? Int16(POLLOUT) : 0)
        entries.append(pollfd(fd: descriptor, events: events, revents: 0))
        return entries.count - 1
    }

    /// Waits for at most so many milliseconds; an interrupted wait ends early.
    public mutating func wait(milliseconds: Int32) {
        let count = entries.count
        unsafe _ = entries.withUnsafeMutableBufferPointer { buffer in
            unsafe linux_poll(buffer.baseAddress, UInt(count), milliseconds)
        }
    }

    /// Whether there is something to read at `place`; an error or a hang-up is.
    public func isReadable(_ place: Int) -> Bool {
        entries[place].revents & Int16(POLLIN | POLLERR | POLLHUP) != 0
    }

    public func isWritable(_ place: Int) -> Bool {
        entries[place].revents & Int16(POLLOUT | POLLERR | POLLHUP) != 0
    }
}
