import Domain
import Glibc
import Synchronization
import Syscalls

/// A DNS server that does what no good one would: about the names and families that a test chooses it is silent, fails,
/// or answers neither yes nor no.
final class OddNameServer: Sendable {
    enum Reply: Equatable {
        case silence
        case failure
        case nothing
        case noSuchName
        case addresses([Address], ttl: UInt32)
        /// That the root's servers know.
        case referral
        /// That the name is an alias of itself.
        case aliasLoop
        /// That there is more to say than there is room for, over TCP as well.
        case cutOff
        /// An address of five octets.
        case longAddress
    }

    typealias Rule = @Sendable (_ name: String, _ family: Address.Family) -> Reply

    let place: TransportAddress
    private let socket: Int32
    private let listener: Int32
    private let rule: Mutex<Rule>
    private let heard = Mutex<[String: Int]>([:])
    private let isStopped = Mutex(false)
    /// How names begin that nobody answers for, whatever the rule: as questions about them may be the most by far, they
    /// are not even read.
    private static let dead = Array("dead".utf8)

    init(at text: String = "127.0.0.1", port: UInt16 = 0, _ rule: @escaping Rule) throws {
        let own = try Address(text)
        self.rule = Mutex(rule)
        var ends: (socket: Int32, listener: Int32, port: UInt16)?
        // A port that is free for UDP may be taken for TCP.
        for _ in 0..<(port == 0 ? 100 : 1) where ends == nil { ends = try OddNameServer.bind(to: own, port: port) }
        guard let ends else { throw SystemCallError("bind", code: EADDRINUSE) }
        (socket, listener) = (ends.socket, ends.listener)
        place = TransportAddress(own, port: ends.port)
        _ = try JoinableThread(named: "odd dns") { [self] in serve() }
        _ = try JoinableThread(named: "odd dns by tcp") { [self] in accept() }
    }

    deinit {
        close(socket)
        close(listener)
    }

    /// A socket for datagrams and one that listens, on one port; nil when another has it.
    private static func bind(to own: Address, port: UInt16) throws -> (socket: Int32, listener: Int32, port: UInt16)? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(truncatingIfNeeded: own.bits).bigEndian
        var sockets: [Int32] = []
        for kind in [SOCK_DGRAM, SOCK_STREAM] {
            let socket = Glibc.socket(AF_INET, Int32(kind.rawValue), 0)
            sockets.append(socket)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
                }
            }
            guard isBound, kind == SOCK_DGRAM || listen(socket, 100) == 0 else {
                for socket in sockets { close(socket) }
                return nil
            }
            pause(socket)
        }
        return (sockets[0], sockets[1], UInt16(bigEndian: address.sin_port))
    }

    /// Has those who wait for something at `socket` look up ten times a second.
    private static func pause(_ socket: Int32) {
        var pause = timeval(tv_sec: 0, tv_usec: 100_000)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &pause, socklen_t(MemoryLayout<timeval>.size))
    }

    func change(_ rule: @escaping Rule) { self.rule.withLock { $0 = rule } }
    func stop() { isStopped.withLock { $0 = true } }

    /// How often it was asked about a name, in either family.
    func questions(about name: String) -> Int { heard.withLock { $0[name] ?? 0 } }

    private func serve() {
        var packet = [UInt8](repeating: 0, count: 4096)
        while !isStopped.withLock({ $0 }) {
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = unsafe withUnsafeMutablePointer(to: &peer) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe recvfrom(socket, &packet, packet.count, 0, $0, &length)
                }
            }
            guard count > 17, !packet[13..<17].elementsEqual(OddNameServer.dead),
                let answer = answer(to: Array(packet[..<count]))
            else { continue }
            unsafe withUnsafePointer(to: &peer) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe _ = sendto(socket, answer, answer.count, 0, $0, length)
                }
            }
        }
    }

    private func accept() {
        while !isStopped.withLock({ $0 }) {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            OddNameServer.pause(connection)
            let thread = try? JoinableThread(named: "odd dns by tcp") { [self] in serve(connection) }
            if thread == nil { close(connection) }
        }
    }

    /// Answers what comes over one connection, until the other side ends it.
    private func serve(_ connection: Int32) {
        defer { close(connection) }
        while let length = read(2, from: connection),
            let query = read(Int(length[0]) << 8 | Int(length[1]), from: connection)
        {
            guard query.count > 17, let answer = answer(to: query) else { continue }
            let octets = [UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
            unsafe _ = send(connection, octets, octets.count, Int32(MSG_NOSIGNAL))
        }
    }

    private func read(_ count: Int, from connection: Int32) -> [UInt8]? {
        var octets: [UInt8] = []
        while octets.count < count {
            guard !isStopped.withLock({ $0 }) else { return nil }
            var more = [UInt8](repeating: 0, count: count - octets.count)
            let got = unsafe recv(connection, &more, more.count, 0)
            if got < 0, errno == EAGAIN || errno == EINTR { continue }
            guard got > 0 else { return nil }
            octets += more[..<got]
        }
        return octets
    }

    private func answer(to query: [UInt8]) -> [UInt8]? {
        var labels: [String] = []
        var index = 12
        while index < query.count, query[index] > 0, index + Int(query[index]) < query.count {
            labels.append(String(decoding: query[index + 1...index + Int(query[index])], as: UTF8.self))
            index += 1 + Int(query[index])
        }
        guard index + 5 <= query.count else { return nil }
        let family: Address.Family = query[index + 2] == 28 ? .ipv6 : .ipv4
        let name = labels.joined(separator: ".")
        heard.withLock { $0[name, default: 0] += 1 }
        let reply = rule.withLock { $0 }(name, family)
        let type: UInt8 = family == .ipv4 ? 1 : 28
        // RD and QR, and RA beside the code.
        var (flags, answers, authority): ([UInt8], [[UInt8]], [[UInt8]]) = ([0x81, 0x80], [], [])
        switch reply {
        case .silence: return nil
        case .failure: flags[1] |= 2
        case .nothing: break
        case .noSuchName: flags[1] |= 3
        case .addresses(let addresses, let ttl):
            answers = addresses.filter { $0.family == family }.map { address in
                let octets = (0..<address.width / 8).reversed().map {
                    UInt8(truncatingIfNeeded: address.bits >> UInt128($0 * 8))
                }
                return OddNameServer.record([0xC0, 12], type, octets, ttl: ttl)
            }
        case .referral:
            flags[1] = 0
            authority = [OddNameServer.record([0], 2, [1, 0x61, 0], ttl: 518_400)]
        case .aliasLoop: answers = [OddNameServer.record([0xC0, 12], 5, [0xC0, 12], ttl: 1)]
        case .cutOff: flags[0] |= 2
        case .longAddress: answers = [OddNameServer.record([0xC0, 12], type, [192, 0, 2, 1, 0], ttl: 1)]
        }
        var packet = Array(query[0..<2]) + flags + [0, 1, 0, UInt8(answers.count), 0, UInt8(authority.count), 0, 0]
        packet += query[12..<index + 5]
        packet += (answers + authority).joined()
        return packet
    }

    private static func record(_ owner: [UInt8], _ type: UInt8, _ data: [UInt8], ttl: UInt32) -> [UInt8] {
        let time = [3, 2, 1, 0].map { UInt8(truncatingIfNeeded: ttl >> ($0 * 8)) }
        return owner + [0, type, 0, 1] + time + [0, UInt8(data.count)] + data
    }
}
