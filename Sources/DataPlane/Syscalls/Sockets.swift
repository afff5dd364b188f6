public import CLinux
public import Domain
import Glibc

/// A socket in a worker's keeping: a plain number, closed by whoever holds it, once.
public struct Socket: BitwiseCopyable, Equatable, Sendable {
    public let number: Int32

    @inlinable public init(number: Int32) { self.number = number }

    public static let none = Socket(number: -1)

    @inlinable public var exists: Bool { number >= 0 }

    /// A fresh TCP socket of the family. (Not inlinable: to which module AF_INET belongs changes with what the build
    /// has seen before.)
    public static func open(_ family: Address.Family) -> KernelAnswer {
        KernelAnswer(linux_socket(family == .ipv4 ? AF_INET : AF_INET6))
    }

    @inlinable public func accept() -> KernelAnswer { KernelAnswer(linux_accept(number)) }

    /// Accepts, and says who has called, which saves the call that would ask for it.
    @inlinable public func accept(from peer: inout KernelAddress) -> KernelAnswer {
        unsafe KernelAnswer(linux_accept_from(number, &peer.storage))
    }

    /// The kernel closes the descriptor whatever it answers, EINTR included, so the answer is of no use.
    @inlinable public func close() { _ = linux_close(number) }

    /// Closes with RST, so that the peer learns that the stream was cut and not ended.
    @inlinable public func reset() {
        _ = linux_reset_on_close(number)
        _ = linux_close(number)
    }

    @inlinable public func receive(into buffer: Buffer, at offset: Int, upTo count: Int) -> KernelAnswer {
        unsafe KernelAnswer(linux_receive(number, buffer.address(offset, count), count))
    }

    /// With `more`, the kernel may wait for what follows (a FIN, most often) and send both in one segment.
    @inlinable public func send(_ buffer: Buffer, at offset: Int, count: Int, more: Bool = false) -> KernelAnswer {
        unsafe KernelAnswer(linux_send(number, buffer.address(offset, count), count, more ? 1 : 0))
    }

    /// Sends a few bytes; what the kernel does not take at once is lost. For last words such as an alert.
    public func sendLastWords(_ bytes: Span<UInt8>) -> KernelAnswer {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return KernelAnswer(0) }
            return unsafe KernelAnswer(linux_send(number, start, source.count, 0))
        }
    }

    @inlinable public func splice(into pipe: Pipe, upTo count: Int) -> KernelAnswer {
        KernelAnswer(linux_splice(number, pipe.writeEnd, count))
    }

    @inlinable public func splice(from pipe: Pipe, count: Int) -> KernelAnswer {
        KernelAnswer(linux_splice(pipe.readEnd, number, count))
    }

    /// Bytes that were sent, that the peer has not acknowledged, and that may still reach it (SIOCOUTQ); a FIN counts
    /// as one.
    public var unsentBytes: Int { linux_unsent_bytes(number) }

    @inlinable public func shutdownWriting() { _ = linux_shutdown_writing(number) }

    @inlinable public func sendWithoutDelay() { _ = linux_set_option(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    /// Lets the acknowledgement of the handshake ride on the first data: one packet fewer.
    @inlinable public func delayAcknowledgement() { _ = linux_set_option(number, Int32(IPPROTO_TCP), TCP_QUICKACK, 0) }

    /// Has connections come from an address of this machine. The port is chosen when it is known where to
    /// (IP_BIND_ADDRESS_NO_PORT, ip(7)), so that one port serves a connection to each endpoint, and not one connection
    /// in all.
    @inlinable public func bindSource(_ source: KernelAddress) -> KernelAnswer {
        var source = source
        _ = linux_set_option(number, Int32(IPPROTO_IP), 24 /* IP_BIND_ADDRESS_NO_PORT */, 1)
        return unsafe KernelAnswer(linux_bind(number, &source.storage, source.length))
    }

    public var connectOutcome: KernelAnswer { KernelAnswer(linux_connect_outcome(number)) }

    @inlinable public func connect(to peer: KernelAddress) -> KernelAnswer {
        var peer = peer
        return unsafe KernelAnswer(linux_connect(number, &peer.storage, peer.length))
    }

    /// Connects to a Unix stream socket.
    public func connect(path: String) -> KernelAnswer { unsafe KernelAnswer(linux_connect_unix(number, path)) }

    public static func openUnix() -> KernelAnswer { KernelAnswer(linux_socket(AF_UNIX)) }

    public var localAddress: TransportAddress? {
        var storage = sockaddr_storage()
        guard unsafe linux_local_address(number, &storage) == 0 else { return nil }
        return KernelAddress(storage: storage).transportAddress
    }

    public var peerAddress: TransportAddress? {
        var storage = sockaddr_storage()
        guard unsafe linux_peer_address(number, &storage) == 0 else { return nil }
        return KernelAddress(storage: storage).transportAddress
    }

    /// Binds to `address` without listening yet, so that a port in use is known before anything else starts.
    ///
    /// What accepted sockets inherit is set here, once: no Nagle delay, and (`deferAccept`) no accept before the client
    /// has spoken, since both our protocols begin with the client.
    public static func bound(to address: TransportAddress, deferAccept: Bool) throws(SystemCallError) -> Socket {
        let answer = open(address.address.family)
        let socket = Socket(number: Int32(try answer.get("socket for \(address)")))
        _ = linux_set_option(socket.number, SOL_SOCKET, SO_REUSEADDR, 1)
        socket.setInherited(deferAccept: deferAccept)
        if address.address.family == .ipv6 { _ = linux_set_option(socket.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        var peer = KernelAddress(address)
        do {
            _ = try KernelAnswer(unsafe linux_bind(socket.number, &peer.storage, peer.length)).get("bind to \(address)")
        } catch {
            socket.close()
            throw error
        }
        return socket
    }

    /// Has the kernel notice a peer that has vanished without a word: within ten minutes, whether or not something is
    /// on its way to it.
    ///
    /// A phone is asked for a sign of life only after five minutes of silence (keep-alive wakes its radio), and has
    /// five more to answer or to take what was sent (TCP_USER_TIMEOUT, tcp(7)): long enough for any tunnel, and for an
    /// app that pauses a download.
    @inlinable public func noticeVanishing() {
        _ = linux_set_option(number, SOL_SOCKET, SO_KEEPALIVE, 1)
        _ = linux_set_option(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 300)
        _ = linux_set_option(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 60)
        _ = linux_set_option(number, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 600_000)
    }

    /// For how long the kernel keeps a connection to itself whose client has said nothing.
    ///
    /// The deferral saves the worker a wake-up and a read in vain for each connection, since nearly every client speaks
    /// within milliseconds of the handshake. All of that is had with one second, the least there is. The kernel counts
    /// in retransmissions of its SYN-ACK, at 1, 3 and 7 seconds: 5 asks for three of them, and such a connection is 7
    /// seconds old when we first hear of it.
    public static var deferralSeconds: Int32 { 1 }

    private func setInherited(deferAccept: Bool) {
        _ = linux_set_option(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        noticeVanishing()
        if deferAccept { _ = linux_set_option(number, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, Socket.deferralSeconds) }
    }

    /// Makes a listening socket that somebody else has opened one of ours.
    public func adoptListening(deferAccept: Bool) {
        _ = linux_set_nonblocking(number)
        _ = linux_set_close_on_exec(number)
        setInherited(deferAccept: deferAccept)
    }

    /// Whether this is a stream socket that listens.
    public var isListening: Bool { linux_is_listening(number) == 1 }

    /// Connections that wait to be accepted from this socket, and how many may; nil when it does not listen.
    public var acceptQueue: (waiting: UInt32, limit: UInt32)? {
        var waiting: UInt32 = 0
        var limit: UInt32 = 0
        guard unsafe linux_accept_queue(number, &waiting, &limit) == 0 else { return nil }
        return (waiting, limit)
    }

    /// Refuses new connections from now on; the descriptor stays valid for those who still wait on it.
    public func stopListening() { _ = linux_stop_listening(number) }

    /// 4096 connections wait for their accept; the kernel may allow fewer (net.core.somaxconn).
    public func listen() throws(SystemCallError) { _ = try KernelAnswer(linux_listen(number, 4096)).get("listen") }
}

/// An address and port as the kernel takes them; made once, when an endpoint's addresses become known.
public struct KernelAddress: BitwiseCopyable, Sendable {
    @usableFromInline var storage: sockaddr_storage
    @usableFromInline var length: UInt32

    /// None yet: for the kernel to fill in.
    public init() { self.init(storage: sockaddr_storage()) }

    init(storage: sockaddr_storage) {
        self.storage = storage
        length = 0
    }

    public init(_ peer: TransportAddress) {
        storage = sockaddr_storage()
        let port = peer.port.bigEndian
        switch peer.address.family {
        case .ipv4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: peer.address.bits).bigEndian
            length = UInt32(MemoryLayout<sockaddr_in>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
        case .ipv6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port
            var bits = peer.address.bits.bigEndian
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { target in
                unsafe withUnsafeBytes(of: &bits) { unsafe target.copyMemory(from: $0) }
            }
            length = UInt32(MemoryLayout<sockaddr_in6>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
        }
    }

    public var transportAddress: TransportAddress? {
        var storage = storage
        return unsafe withUnsafeBytes(of: &storage) { bytes -> TransportAddress? in
            switch Int32(self.storage.ss_family) {
            case AF_INET:
                let address = unsafe bytes.load(as: sockaddr_in.self)
                return TransportAddress(
                    Address(ipv4: UInt32(bigEndian: address.sin_addr.s_addr)), port: UInt16(bigEndian: address.sin_port)
                )
            case AF_INET6:
                let address = unsafe bytes.load(as: sockaddr_in6.self)
                var bits: UInt128 = 0
                var raw = address.sin6_addr
                unsafe withUnsafeMutableBytes(of: &bits) { target in
                    unsafe withUnsafeBytes(of: &raw) { unsafe target.copyMemory(from: $0) }
                }
                return TransportAddress(
                    Address(ipv6: UInt128(bigEndian: bits)), port: UInt16(bigEndian: address.sin6_port))
            default:
                return nil
            }
        }
    }
}
