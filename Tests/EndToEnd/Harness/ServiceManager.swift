import Foundation
import Glibc
import Synchronization

/// A service manager such as systemd, as far as daemons talk to it: the socket of sd_notify(3).
final class ServiceManager: Sendable {
    /// What it has a daemon find in its environment.
    let environment: [String: String]
    private let descriptor: Int32
    private let messages = Mutex<[String]>([])

    /// With `watchdog`, it wants to hear at least that often that a daemon is alive.
    init(watchdog: Duration? = nil) throws {
        let scene = try Scene.present()
        let path = scene.path("notify")
        let descriptor = try SystemSocket.makeMailbox(at: path)
        self.descriptor = descriptor
        var environment = ["NOTIFY_SOCKET": path]
        if let watchdog { environment["WATCHDOG_USEC"] = "\(watchdog.milliseconds * 1000)" }
        self.environment = environment
        scene.atEnd { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
        // The queue has room for a few datagrams, and then a daemon would wait for us.
        let thread = Thread { [self] in
            while waitForOne() { _ = heard }
        }
        thread.name = "service manager"
        thread.start()
    }

    deinit { Glibc.close(descriptor) }

    /// All messages so far, the oldest first; each has one assignment or several, a line for each.
    var heard: [String] {
        messages.withLock { messages in
            while let message = take() { messages.append(message) }
            return messages
        }
    }

    var assignments: [String] { heard.flatMap { $0.split(separator: "\n").map(String.init) } }

    /// How often it was told this.
    func count(_ assignment: String) -> Int { assignments.count { $0 == assignment } }

    /// Waits until it has been told this so often, from the beginning on.
    func awaitHeard(_ assignment: String, times: Int = 1) throws {
        try eventually("the service manager hears \(assignment) \(times) times, after \(heard.suffix(20))") {
            count(assignment) >= times
        }
    }

    /// Waits for a message without taking it, so that the lock alone decides about their order. False when the test is
    /// over.
    private func waitForOne() -> Bool {
        var buffer: [UInt8] = [0]
        return unsafe recv(descriptor, &buffer, 1, Int32(MSG_PEEK)) > 0
    }

    private func take() -> String? {
        let room = 4096
        var buffer = [UInt8](repeating: 0, count: room)
        let count = unsafe recv(descriptor, &buffer, room, Int32(MSG_DONTWAIT))
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}
