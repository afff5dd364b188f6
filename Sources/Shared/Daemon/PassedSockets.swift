/// A descriptor that the service manager has opened for us and passes at the start of the process.
public struct PassedSocket: Equatable, Sendable {
    public let number: Int32
    /// What its unit calls it (`FileDescriptorName=`); empty when the manager gave no names.
    public let name: String

    public init(number: Int32, name: String) {
        self.number = number
        self.name = name
    }

    /// The descriptors that are passed begin here, by the protocol of sd_listen_fds(3).
    private static let first: Int32 = 3

    /// What `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` say, if they are meant for process `pid`: a child of the
    /// one that they were meant for inherits them too.
    public static func all(environment: [String: String], pid: Int32) -> [PassedSocket] {
        guard environment["LISTEN_PID"].flatMap(Int32.init) == pid,
            let count = environment["LISTEN_FDS"].flatMap(Int32.init), (1...4096).contains(count)
        else { return [] }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        return (0..<count).map { index in
            PassedSocket(
                number: first + index, name: Int(index) < names.count ? String(names[Int(index)]) : "")
        }
    }
}
