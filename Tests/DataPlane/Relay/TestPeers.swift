import Foundation
import Glibc
import Synchronization
import Syscalls

/// A blocking TCP connection of a test, with a deadline on every read.
/// Used by one thread at a time.
final class TestConnection: @unchecked Sendable {
    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        setDeadline()
    }

    /// With a small `receiveBuffer` the peer's bytes wait on the peer's side.
    init(port: UInt16, host: String = "127.0.0.1", receiveBuffer: Int32 = 0) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if receiveBuffer > 0 { shrinkReceiveBuffer(to: receiveBuffer) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, host, &address.sin_addr)
        let outcome = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard outcome == 0 else {
            Glibc.close(descriptor)
            throw NotInTime(description: "cannot connect to port \(port)")
        }
        setDeadline()
    }

    deinit { Glibc.close(descriptor) }

    private func setDeadline() {
        var time = timeval(tv_sec: Int(untilAFault.components.seconds), tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    func shrinkReceiveBuffer(to bytes: Int32 = 8192) {
        var bytes = bytes
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The address of the other end.
    var peer: String { Syscalls.Socket(number: descriptor).peerAddress?.address.description ?? "" }

    /// Bytes that were sent here, and that the peer's machine has not acknowledged.
    var unacknowledged: Int { Syscalls.Socket(number: descriptor).unsentBytes }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress.map { unsafe $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw NotInTime(description: "send: errno \(errno)") }
            sent += count
        }
    }

    /// Sends one byte as urgent data, which the reader of the stream does not see.
    func sendUrgently() {
        var byte: UInt8 = 33
        unsafe _ = Glibc.send(descriptor, &byte, 1, Int32(MSG_OOB) | Int32(MSG_NOSIGNAL))
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    enum Read: Equatable {
        case bytes([UInt8])
        case end
        case reset
        case nothing
    }

    func receive(upTo count: Int = 65536) -> Read {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = unsafe recv(descriptor, &buffer, count, 0)
        if got > 0 { return .bytes(Array(buffer.prefix(got))) }
        if got == 0 { return .end }
        return errno == ECONNRESET ? .reset : .nothing
    }

    /// Reads exactly `count` bytes.
    func receive(exactly count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            guard case .bytes(let bytes) = receive(upTo: count - all.count) else {
                throw NotInTime(description: "the stream ended after \(all.count) of \(count) bytes")
            }
            all += bytes
        }
        return all
    }

    /// Reads until the peer ends the stream, and how it did.
    ///
    /// A slow reader takes `most` bytes at a time, and pauses for so many microseconds after each.
    func receiveAll(pausing pause: UInt32 = 0, upTo most: Int = 65536) -> (bytes: [UInt8], end: Read) {
        var all: [UInt8] = []
        while true {
            switch receive(upTo: most) {
            case .bytes(let bytes):
                all += bytes
                if pause > 0 { usleep(pause) }
            case let end: return (all, end)
            }
        }
    }

    func receiveText() -> String { String(decoding: receiveAll().bytes, as: UTF8.self) }

    /// Reads until the stream so far ends with `suffix`.
    func receive(untilSuffix suffix: String) throws -> String {
        var all: [UInt8] = []
        while !all.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
            guard case .bytes(let bytes) = receive() else {
                throw NotInTime(description: "the stream ended after: \(String(decoding: all, as: UTF8.self))")
            }
            all += bytes
        }
        return String(decoding: all, as: UTF8.self)
    }

    func shutdownWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes so that the peer sees a reset.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        shutdown(descriptor, Int32(SHUT_RD))
        // The descriptor itself is closed by `deinit`; connecting it to nothing sends the reset now.
        var nobody = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        unsafe _ = connect(descriptor, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
    }
}

/// A listening socket of a test's own endpoint.
final class TestListener {
    let descriptor: Int32
    let port: UInt16

    init(host: String = "127.0.0.1", port: UInt16 = 0, backlog: Int32 = 512) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, host, &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                unsafe bind(descriptor, peer, length) == 0 && listen(descriptor, backlog) == 0
                    && getsockname(descriptor, peer, &length) == 0
            }
        }
        guard bound else { throw NotInTime(description: "cannot listen") }
        self.port = UInt16(bigEndian: address.sin_port)
        var time = timeval(tv_sec: Int(untilAFault.components.seconds), tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Glibc.close(descriptor) }

    /// A socket that has begun to connect, whether or not anybody answers.
    static func knock(host: String, port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, host, &address.sin_addr)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe _ = connect(descriptor, $0, length)
            }
        }
        return descriptor
    }

    func accept() throws -> TestConnection {
        let number = Glibc.accept(descriptor, nil, nil)
        guard number >= 0 else { throw NotInTime(description: "nobody connected to the endpoint") }
        return TestConnection(descriptor: number)
    }
}

/// Endpoints that accept nothing: their queue is full, so the kernel drops whatever SYN comes.
final class SilentListener {
    let listener: TestListener
    private var fillers: [Int32] = []

    init(host: String = "127.0.0.1", port: UInt16 = 0) throws {
        listener = try TestListener(host: host, port: port, backlog: 0)
        for _ in 0..<4 { fillers.append(try TestListener.knock(host: host, port: listener.port)) }
    }

    deinit { for filler in fillers { Glibc.close(filler) } }
}

/// Addresses of 127.0.0.0/8, each given once: where several listeners have to share a port, nobody else is on it.
enum Loopback {
    /// Test runs beside each other begin at different places.
    private static let next = Mutex(UInt32(truncatingIfNeeded: getpid()) &* 0x9E37_79B1)

    static func fresh() -> String {
        let number = next.withLock { number in
            number &+= 1
            return number
        }
        // 127.16.0.1 to 127.239.255.128: far from 127.0.0.x, where other things live.
        return "127.\(16 + (number >> 15) % 224).\(number >> 7 & 0xFF).\(1 + (number & 0x7F))"
    }
}

/// A TLS 1.2 ClientHello of few extensions that names `host`.
func clientHello(_ host: String, padding: Int = 0) -> [UInt8] {
    func sized(_ width: Int, _ body: [UInt8]) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
    }
    let name = sized(2, [0] + sized(2, Array(host.utf8)))
    var extensions: [UInt8] = [0, 0] + sized(2, name)
    if padding > 0 { extensions += [0, 21] + sized(2, [UInt8](repeating: 0, count: padding)) }
    let body =
        [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + sized(2, [0x13, 0x01]) + [1, 0] + sized(2, extensions)
    return [22, 3, 1] + sized(2, [1] + sized(3, body))
}

/// `count` bytes that repeat only after 65,521, a prime: what is lost, doubled or exchanged on the way shows.
func pattern(_ count: Int) -> [UInt8] {
    var state: UInt32 = 1
    let block = (0..<65_521).map { _ -> UInt8 in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: state >> 24)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count { bytes += block.prefix(count - bytes.count) }
    return bytes
}
