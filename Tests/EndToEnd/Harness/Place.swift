import Glibc
import Synchronization

/// An address and a port on this machine.
struct Place: Hashable, CustomStringConvertible, Sendable {
    let address: String
    let port: UInt16

    var description: String { isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
    var isIPv6: Bool { address.contains(":") }

    /// A place that is free and, since its address is this test's own, stays so.
    static func fresh() throws -> Place { try fresh(1)[0] }

    /// Several on one address.
    static func fresh(_ count: Int, at address: String = Loopback.fresh()) throws -> [Place] {
        // Held together, so that they differ.
        let listeners = try (0..<count).map { _ in
            try shared.contains(address) ? outOfTheWay(at: address) : TCPListener(address)
        }
        return withExtendedLifetime(listeners) { listeners.map(\.place) }
    }

    /// The addresses that connections come from unless somebody says otherwise.
    private static let shared = ["127.0.0.1", "::1"]
    /// Below those that the kernel gives to connections (`net.ipv4.ip_local_port_range`). A test may make a thousand
    /// connections a second, and one of them could take the port of a daemon that is about to listen.
    private static let quietPorts: ClosedRange<UInt16> = 12_000...32_000

    private static func outOfTheWay(at address: String) throws -> TCPListener {
        for _ in 0..<100 {
            if let listener = try? TCPListener(address, port: .random(in: quietPorts)) { return listener }
        }
        throw Failure("no port of \(address) in \(quietPorts) is free")
    }
}

/// Addresses of 127.0.0.0/8: each server, endpoint and client that a test names has one of its own, as machines have.
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
