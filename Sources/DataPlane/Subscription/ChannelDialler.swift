import Daemon
import Domain
import Syscalls
import Wire

/// Opens connections to the control plane without blocking: finds the address, connects, and makes the TLS handshake.
/// One thread's.
///
/// Each attempt goes to one address. After one that has failed the next goes to the next of them, round and round, so a
/// control plane that has moved to another of its addresses is found whatever becomes of the old one.
final class ChannelDialler {
    /// What the other end of a connection over TCP has to show, and what we show it.
    enum Trust {
        case identity(ServerIdentity)
        /// Whoever the authority (PEM) vouches for; we are nobody yet.
        case authority([UInt8])
        /// To look at the certificates of whoever answers.
        case anyone
        /// There is no identity; why not.
        case none(String)
    }

    enum Outcome {
        case underWay
        case connected(ChannelConnection)
        case failed(String)
    }

    private enum Step {
        case idle
        case resolving(NameLookup, port: UInt16)
        case connecting(Socket, TransportAddress)
        case handshaking(TLSStream, TransportAddress)
    }

    private let addresses: [ChannelAddress]
    private let resolvers: [TransportAddress]
    private var trust: Trust
    private var step = Step.idle
    /// What the connections read into and write from, one after the other.
    private let scratch = BufferPool.scratch()
    /// Which address is tried now, and which of those that its name stands for.
    private var turn = 0
    private var attempts = 0
    /// Where the descriptors waited for are in the caller's set.
    private var place: Int?

    /// `resolvers` are asked for names; none for those of `/etc/resolv.conf`. `addresses` has at least one.
    init(addresses: [ChannelAddress], resolvers: [TransportAddress], trust: Trust) {
        self.addresses = addresses
        self.resolvers = resolvers
        self.trust = trust
    }

    deinit { cancel() }

    /// The address of the attempt under way, or of the last one.
    var address: ChannelAddress { addresses[turn % addresses.count] }

    /// What the next attempt shows and expects.
    func use(_ trust: Trust) { self.trust = trust }

    /// The next attempt goes to the next address.
    func moveOn() {
        turn = (turn + 1) % addresses.count
        attempts &+= 1
    }

    /// Gives up what is under way.
    func cancel() {
        switch step {
        case .connecting(let socket, _): socket.close()
        case .idle, .resolving, .handshaking: break
        }
        step = .idle
        place = nil
    }

    /// Begins an attempt.
    func begin() -> Outcome {
        cancel()
        switch address {
        case .unix(let path): return connect(path: path)
        case .tcp(let host, let port):
            if case .none(let problem) = trust { return .failed(problem) }
            switch host {
            case .address(let address): return connect(TransportAddress(address, port: port))
            case .name(let name):
                do {
                    let lookup = try NameLookup(name, servers: resolvers)
                    step = .resolving(lookup, port: port)
                    return resolve(lookup, port)
                } catch {
                    return .failed("\(name) cannot be resolved: \(error)")
                }
            }
        }
    }

    /// Adds what the attempt under way waits for to `set`.
    func add(to set: inout PollSet) {
        place = nil
        switch step {
        case .idle: break
        case .resolving(let lookup, _): lookup.add(to: &set)
        case .connecting(let socket, _): place = set.add(socket.number, readable: false, writable: true)
        case .handshaking(let stream, _):
            place = set.add(stream.socket.number, readable: !stream.wantsWrite, writable: stream.wantsWrite)
        }
    }

    /// For how many milliseconds to wait at most.
    func patience(atMost most: Int32) -> Int32 {
        if case .resolving(let lookup, _) = step { lookup.patience(atMost: most) } else { most }
    }

    /// Goes on with the attempt under way after a wait.
    func proceed(_ set: PollSet) -> Outcome {
        switch step {
        case .idle: return .underWay
        case .resolving(let lookup, let port):
            lookup.process(set)
            return resolve(lookup, port)
        case .connecting(let socket, let peer):
            guard let place, set.isWritable(place) else { return .underWay }
            let outcome = socket.connectOutcome
            guard !outcome.isError else { return fail("cannot connect to \(peer)", outcome) }
            return shakeHands(over: socket, peer)
        case .handshaking(let stream, let peer):
            guard let place, set.isReadable(place) || set.isWritable(place) else { return .underWay }
            return proceed(stream, peer)
        }
    }

    // MARK: Steps

    private func connect(path: String) -> Outcome {
        let opened = Socket.openUnix()
        guard !opened.isError else { return .failed(SystemCallError.text(of: opened.code)) }
        let socket = Socket(number: Int32(truncatingIfNeeded: opened.value))
        let answer = socket.connect(path: path)
        guard !answer.isError else {
            socket.close()
            return .failed("cannot connect to \(path): \(SystemCallError.text(of: answer.code))")
        }
        return .connected(ChannelConnection(socket: socket, scratch: scratch))
    }

    private func resolve(_ lookup: NameLookup, _ port: UInt16) -> Outcome {
        guard let outcome = lookup.takeOutcome() else { return .underWay }
        step = .idle
        switch outcome {
        case .addresses(let found, _):
            // One by one over the attempts, whichever of its addresses the control plane can be reached at.
            return connect(TransportAddress(found[attempts % found.count], port: port))
        case .problem(let problem): return .failed("\(address) cannot be resolved: \(problem)")
        }
    }

    private func connect(_ peer: TransportAddress) -> Outcome {
        let opened = Socket.open(peer.address.family)
        guard !opened.isError else { return .failed(SystemCallError.text(of: opened.code)) }
        let socket = Socket(number: Int32(truncatingIfNeeded: opened.value))
        step = .connecting(socket, peer)
        let answer = socket.connect(to: KernelAddress(peer))
        guard answer.isError, !answer.inProgress else { return .underWay }
        return fail("cannot connect to \(peer)", answer)
    }

    private func shakeHands(over socket: Socket, _ peer: TransportAddress) -> Outcome {
        // A change should be on its way at once, and so should its answer.
        socket.sendWithoutDelay()
        // From here on the stream is the socket's owner.
        step = .idle
        do {
            let stream = try TLSStream(socket, client: client())
            step = .handshaking(stream, peer)
            return proceed(stream, peer)
        } catch {
            socket.close()
            return .failed("\(error)")
        }
    }

    private func client() throws(TLSError) -> TLSClient {
        switch trust {
        case .identity(let own):
            try TLSClient(authority: own.authority, peer: ChannelNames.control, identity: own.identity)
        case .authority(let pem): try TLSClient(authority: pem, peer: ChannelNames.control, identity: nil)
        case .anyone, .none: try TLSClient(trustingAnyone: ())
        }
    }

    private func proceed(_ stream: TLSStream, _ peer: TransportAddress) -> Outcome {
        switch stream.handshake() {
        case .done:
            step = .idle
            return .connected(ChannelConnection(stream: stream, scratch: scratch))
        case .wantsRead, .wantsWrite: return .underWay
        case .ended: return fail("\(peer) closed the connection in the TLS handshake", nil)
        case .failed(let problem), .lost(let problem): return fail("no TLS with \(peer): \(problem)", nil)
        }
    }

    private func fail(_ about: String, _ answer: KernelAnswer?) -> Outcome {
        cancel()
        return .failed(about + (answer.map { ": " + SystemCallError.text(of: $0.code) } ?? ""))
    }
}

extension SnapshotSubscriber {
    /// Where the control plane is, and what this server is known by there.
    struct Channel: Sendable {
        let addresses: [ChannelAddress]
        /// The folder with the identity that enrolment gave; of use with addresses over TCP only.
        let credentials: String
        /// Whom to ask for the names in the addresses; none for those of `/etc/resolv.conf`.
        let resolvers: [TransportAddress]
    }
}
