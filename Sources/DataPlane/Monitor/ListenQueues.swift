import Syscalls

/// How full the kernel's queues of connections are that wait to be accepted, at one moment.
struct ListenQueues: Sendable {
    struct Queue: Sendable {
        let listener: String
        let waiting: UInt32
        let limit: UInt32
    }

    var queues: [Queue] = []
    /// Connections that the kernel has dropped as a queue was full: of whichever listener of this network namespace,
    /// which the kernel does not tell apart. nil when it does not say.
    var overflows: UInt64?

    /// As it is now.
    static func present(of listeners: [Listener]) -> ListenQueues {
        let queues = listeners.compactMap { listener in
            listener.socket.acceptQueue.map {
                Queue(listener: "\(listener.address)", waiting: $0.waiting, limit: $0.limit)
            }
        }
        let text = File.stream(atPath: "/proc/self/net/netstat", atMost: 65536).map {
            String(decoding: $0, as: UTF8.self)
        }
        return ListenQueues(queues: queues, overflows: text.flatMap { overflows(inNetstat: $0) })
    }

    /// `ListenOverflows` of proc(5)'s netstat: a line of names, and one of values below it.
    static func overflows(inNetstat text: String) -> UInt64? {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("TcpExt:") }.map { $0.split(separator: " ") }
        guard lines.count == 2, let place = lines[0].firstIndex(of: "ListenOverflows"), place < lines[1].count else {
            return nil
        }
        return UInt64(lines[1][place])
    }
}
