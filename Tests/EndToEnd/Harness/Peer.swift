import Foundation
import Synchronization

/// An endpoint of a test's own, for what no real server does on demand. Each connection has a thread.
final class Peer: Sendable {
    let place: Place
    private let listener: TCPListener
    private let accepted = Mutex(0)

    /// Connections so far.
    var connections: Int { accepted.withLock { $0 } }

    init(
        _ address: String = Loopback.fresh(), port: UInt16 = 0,
        serve: @escaping @Sendable (TCPConnection) throws -> Void
    ) throws {
        let listener = try TCPListener(address, port: port)
        self.listener = listener
        place = listener.place
        try Scene.present().atEnd { listener.stop() }
        let thread = Thread { [self] in
            while let connection = listener.accept() {
                accepted.withLock { $0 += 1 }
                // A peer that goes away in the middle is what half of the tests are about.
                Thread { try? serve(connection) }.start()
            }
        }
        thread.name = "peer"
        thread.start()
    }

    func stop() { listener.stop() }

    /// Reads a TLS hello, says its own name on a line, and then says everything that it hears.
    static func echo(_ name: String, at address: String = Loopback.fresh(), port: UInt16 = 0) throws -> Peer {
        try Peer(address, port: port) { connection in
            _ = try connection.receiveHello()
            try connection.send("\(name)\n")
            while case .bytes(let bytes) = connection.receive() { try connection.send(bytes) }
        }
    }
}

extension TCPConnection {
    /// One record of a TLS handshake, with its header.
    func receiveHello() throws -> [UInt8] {
        let header = try receive(exactly: 5)
        return try header + receive(exactly: Int(header[3]) << 8 | Int(header[4]))
    }
}

/// A ClientHello in one record that names `host`; `padding` makes it longer.
func clientHello(_ host: String, padding: Int = 0) -> [UInt8] {
    func sized(_ width: Int, _ body: [UInt8]) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
    }
    var extensions: [UInt8] = [0, 0] + sized(2, sized(2, [0] + sized(2, Array(host.utf8))))
    if padding > 0 { extensions += [0, 21] + sized(2, [UInt8](repeating: 0, count: padding)) }
    let body =
        [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + sized(2, [0x13, 0x01]) + [1, 0] + sized(2, extensions)
    return [22, 3, 1] + sized(2, [1] + sized(3, body))
}
