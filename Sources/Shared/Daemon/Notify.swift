import CHost
import CSystemd

/// Tells the service manager how this process is. Without one (`NOTIFY_SOCKET` is not set) each call does nothing.
public enum Notify {
    /// The listeners are bound and requests are answered.
    public static func ready(status: String) {
        send("READY=1\nSTATUS=\(oneLine(status))")
    }

    /// Settings are being read anew; `ready` ends that. By the time, on the monotonic clock, the manager tells one
    /// reload from the next (sd_notify(3)).
    public static func reloading() {
        send("RELOADING=1\nMONOTONIC_USEC=\(host_monotonic_microseconds())")
    }

    /// A shutdown has begun; sent before anything is drained, so that the manager's timeout counts from here.
    public static func stopping() {
        send("STOPPING=1")
    }

    /// The process is alive and moves; the manager restarts it when this stays out for its WatchdogSec.
    ///
    /// Sent only to a manager that waits for it (`WATCHDOG_USEC` is set): one that does not read need not be written to
    /// for ever.
    public static func watchdog() {
        if isWatched { send("WATCHDOG=1") }
    }

    private static let isWatched = sd_watchdog_enabled(0, nil) > 0

    /// One line for people, shown by `systemctl status`.
    public static func status(_ text: String) {
        send("STATUS=\(oneLine(text))")
    }

    /// Gives the manager a descriptor to keep, which it passes to the next process of this service under `name`; ours
    /// stays ours.
    ///
    /// FDPOLL=0: it is kept whatever becomes of its other end. Without a store (`FileDescriptorStoreMax=`) the manager
    /// closes it again.
    ///
    /// False when the manager could not be told.
    @discardableResult
    public static func keep(_ descriptor: Int32, as name: String) -> Bool {
        var descriptor = descriptor
        return unsafe sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", &descriptor, 1) > 0
    }

    /// Waits until the manager has taken in everything that it was told, five seconds at most.
    public static func awaitTaken() { _ = sd_notify_barrier(0, 5_000_000) }

    /// Has the manager close every descriptor that it keeps under `name`.
    public static func forget(_ name: String) { send("FDSTOREREMOVE=1\nFDNAME=\(name)") }

    /// Whether there is a service manager to talk to.
    public static func isManaged(environment: [String: String]) -> Bool {
        environment["NOTIFY_SOCKET"]?.isEmpty == false
    }

    /// A failure is not worth a word: the manager is gone, or gives up on us by its own timeout and says so.
    static func send(_ message: String) {
        _ = unsafe sd_notify(0, message)
    }

    /// A newline would begin another assignment of the protocol.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
