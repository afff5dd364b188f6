import Glibc
import Wire

/// A blocking socket of the channel. We read when `poll` says so, and write little enough for the socket to take at once.
final class Connection {
    let descriptor: Int32
    private var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameDown)
    private let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameUp)
    /// 64 KiB: a difference fits many times, a whole snapshot comes in a few reads.
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(path: String) throws(Failure) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw Failure("\(path) is too long for a socket's path") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw Failure("cannot connect to \(path): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func send(_ frame: WireFrame) throws(Failure) {
        do {
            let bytes = try encoder.encoded(frame)
            guard write(descriptor, bytes, bytes.count) == bytes.count else {
                throw Failure("a frame was not taken whole: \(String(cString: strerror(errno)))")
            }
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Reads once, and hands over the frames that are whole.
    func receive(_ body: (WireFrame) throws(Failure) -> Void) throws(Failure) {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { throw Failure("the control plane closed the connection") }
        decoder.append(buffer.span.extracting(first: count))
        while let frame = try nextFrame() { try body(frame) }
    }

    private func nextFrame() throws(Failure) -> WireFrame? {
        do {
            return try decoder.next()
        } catch {
            throw Failure("\(error)")
        }
    }
}
