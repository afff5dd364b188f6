/// Why a process ended, in the numbers of sysexits.h, so that a service manager or a script can tell a slip from a
/// failure.
public enum ExitCode: Int32, Sendable {
    /// A flag or an environment variable is wrong; nothing was started.
    case usage = 64
    /// Something that is needed is not there: a port is taken, a peer cannot be reached.
    case unavailable = 69
    /// A fault of our own.
    case `internal` = 70
    /// A file or socket that we own cannot be made.
    case cannotCreate = 73
    /// What was set up before does not fit: a database of a newer release, or a damaged one.
    case configuration = 78
}
