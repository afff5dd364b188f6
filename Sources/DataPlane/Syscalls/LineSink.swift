import CLinux
import Glibc

/// Where lines go that nobody may wait for: an open descriptor, or a Unix socket of datagrams.
public struct LineSink: ~Copyable, Sendable {
    private let descriptor: Int32
    private let isOwn: Bool
    /// Each write is a whole line or nothing.
    public let keepsLinesWhole: Bool

    /// The process's standard output.
    public static func standardOutput() -> LineSink { LineSink(descriptor: 1, isOwn: false, keepsLinesWhole: false) }

    private init(descriptor: Int32, isOwn: Bool, keepsLinesWhole: Bool) {
        self.descriptor = descriptor
        self.isOwn = isOwn
        self.keepsLinesWhole = keepsLinesWhole
    }

    /// The socket of datagrams at `path` (unix(7)), on which somebody listens already.
    public init(path: String) throws(SystemCallError) {
        let number = Int32(truncatingIfNeeded: try KernelAnswer(linux_datagram_socket()).get("socket"))
        let answer = KernelAnswer(unsafe linux_connect_unix(number, path))
        guard !answer.isError else {
            _ = linux_close(number)
            throw SystemCallError("connect to \(path)", code: answer.code)
        }
        self.init(descriptor: number, isOwn: true, keepsLinesWhole: true)
    }

    deinit { if isOwn { _ = linux_close(descriptor) } }

    /// Writes as much of `bytes` from `start` on as is taken at once.
    public func write(_ bytes: [UInt8], from start: Int) -> KernelAnswer {
        unsafe bytes.withUnsafeBytes { source in
            guard start < source.count, let base = source.baseAddress else { return KernelAnswer(0) }
            return unsafe KernelAnswer(linux_write_now(descriptor, base + start, source.count - start))
        }
    }
}
