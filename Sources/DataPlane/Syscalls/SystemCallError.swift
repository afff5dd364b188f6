import CLinux
import Glibc

/// A system call that failed: which one, and the kernel's reason.
public struct SystemCallError: Error, Equatable, Sendable, CustomStringConvertible {
    public let call: String
    /// The positive errno.
    public let code: CInt

    public init(_ call: String, code: CInt) {
        self.call = call
        self.code = code
    }

    public var description: String { "\(call): \(SystemCallError.text(of: code))" }

    /// The C library's sentence for an errno.
    public static func text(of code: CInt) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        // The GNU strerror_r may answer a static string and leave the buffer alone; the XSI one, which Swift imports,
        // fills it.
        guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A kernel answer: a count, or one of the reasons that callers choose by.
///
/// A plain number inside, so that it costs nothing to pass.
public struct KernelAnswer: Equatable, Sendable {
    /// The count, or a negative errno.
    public let value: Int

    @inlinable public init(_ value: Int) { self.value = value }

    @inlinable public var isError: Bool { value < 0 }
    /// Nothing to read, or no room to write: wait for the next event.
    @inlinable public var wouldBlock: Bool { value == -11 }
    @inlinable public var inProgress: Bool { value == -115 }
    /// EADDRNOTAVAIL: no local port is free, or there is no local address of the family.
    @inlinable public var isAddressUnavailable: Bool { value == -99 }
    /// ECONNREFUSED: the other machine is there, and nobody listens on it.
    @inlinable public var isRefused: Bool { value == -111 }
    @inlinable public var isReset: Bool { value == -104 || value == -32 }
    /// ECONNRESET, which the kernel tells once.
    @inlinable public var meetsReset: Bool { value == -104 }
    @inlinable public static var reset: KernelAnswer { KernelAnswer(-104) }
    /// No descriptor, or no memory, to be had: EMFILE, ENFILE, ENOBUFS, ENOMEM.
    @inlinable public var isExhaustion: Bool { value == -24 || value == -23 || value == -105 || value == -12 }
    @inlinable public var code: CInt { value < 0 ? CInt(truncatingIfNeeded: -value) : 0 }

    public func get(_ call: String) throws(SystemCallError) -> Int {
        guard value >= 0 else { throw SystemCallError(call, code: code) }
        return value
    }
}
