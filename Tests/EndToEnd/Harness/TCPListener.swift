import Glibc
import Synchronization

/// A listening socket of a test's own.
final class TCPListener: Sendable {
    let descriptor: Int32
    let place: Place

    /// Listens on `port`, or on one that the kernel chooses.
    init(_ address: String, port: UInt16 = 0, backlog: Int32 = 512) throws {
        let wanted = Place(address: address, port: port)
        let descriptor = try SystemSocket.make(for: wanted)
        self.descriptor = descriptor
        guard SystemSocket.bind(descriptor, wanted), listen(descriptor, backlog) == 0,
            let bound = SystemSocket.port(of: descriptor)
        else {
            let code = errno
            Glibc.close(descriptor)
            throw Failure("cannot listen on \(address):\(port): errno \(code)")
        }
        place = Place(address: address, port: bound)
    }

    deinit { Glibc.close(descriptor) }

    func accept() -> TCPConnection? {
        let number = Glibc.accept(descriptor, nil, nil)
        return number < 0 ? nil : TCPConnection(descriptor: number)
    }

    /// Wakes who waits in `accept`, and refuses new connections.
    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// The system's calls about sockets, with Swift's types.
enum SystemSocket {
    static func make(for place: Place) throws -> Int32 { try make(place.isIPv6 ? AF_INET6 : AF_INET) }

    static func make(_ family: Int32) throws -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket: errno \(errno)") }
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    /// A socket that takes datagrams at `path`.
    static func makeMailbox(at path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket: errno \(errno)") }
        guard bind(descriptor, path: path) else {
            let code = errno
            Glibc.close(descriptor)
            throw Failure("cannot bind to \(path): errno \(code)")
        }
        return descriptor
    }

    static func bind(_ descriptor: Int32, _ place: Place) -> Bool {
        unsafe withAddress(place) { unsafe Glibc.bind(descriptor, $0, $1) == 0 }
    }

    static func connect(_ descriptor: Int32, _ place: Place) -> Bool {
        unsafe withAddress(place) { unsafe Glibc.connect(descriptor, $0, $1) == 0 }
    }

    static func connect(_ descriptor: Int32, path: String) -> Bool {
        unsafe withAddress(path: path) { unsafe Glibc.connect(descriptor, $0, $1) == 0 }
    }

    static func bind(_ descriptor: Int32, path: String) -> Bool {
        unsafe withAddress(path: path) { unsafe Glibc.bind(descriptor, $0, $1) == 0 }
    }

    static func port(of descriptor: Int32) -> UInt16? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isKnown = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length) == 0
            }
        }
        return isKnown ? UInt16(bigEndian: address.sin_port) : nil
    }

    private static func withAddress(path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(107)) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func withAddress(
        _ place: Place, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        guard !place.isIPv6 else { return unsafe withIPv6Address(place, body) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = place.port.bigEndian
        guard unsafe inet_pton(AF_INET, place.address, &address.sin_addr) == 1 else { return false }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func withIPv6Address(
        _ place: Place, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = place.port.bigEndian
        guard unsafe inet_pton(AF_INET6, place.address, &address.sin6_addr) == 1 else { return false }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
