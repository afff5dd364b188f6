import Domain
import Glibc
import Synchronization
import Syscalls

/// A DNS server that does what no good one would: it is silent, or fails, about the names and families that a test
/// chooses.
final class OddNameServer: Sendable {
    enum Reply: Equatable {
        case silence
        case failure
        case nothing
        case noSuchName
        case addresses([Address], ttl: UInt32)
    }

    typealias Rule = @Sendable (_ name: String, _ family: Address.Family) -> Reply

    let place: TransportAddress
    private let socket: Int32
    private let rule: Mutex<Rule>
    private let heard = Mutex<[String: Int]>([:])
    private let isStopped = Mutex(false)
    /// How names begin that nobody answers for, whatever the rule: as questions about them may be the most by far, they
    /// are not even read.
    private static let dead = Array("dead".utf8)

    init(at text: String = "127.0.0.1", port: UInt16 = 0, _ rule: @escaping Rule) throws {
        let own = try Address(text)
        self.rule = Mutex(rule)
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        self.socket = socket
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(truncatingIfNeeded: own.bits).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isBound else { throw SystemCallError("bind", code: errno) }
        var pause = timeval(tv_sec: 0, tv_usec: 100_000)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &pause, socklen_t(MemoryLayout<timeval>.size))
        place = TransportAddress(own, port: UInt16(bigEndian: address.sin_port))
        _ = try JoinableThread(named: "odd dns") { [self] in serve() }
    }

    deinit { close(socket) }

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
        var (code, records, ttl): (UInt8, [Address], UInt32) = (0, [], 0)
        switch reply {
        case .silence: return nil
        case .failure: code = 2
        case .nothing: break
        case .noSuchName: code = 3
        case .addresses(let addresses, let seconds):
            (records, ttl) = (addresses.filter { $0.family == family }, seconds)
        }
        var packet = Array(query[0..<2]) + [0x81, 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
        packet += query[12..<index + 5]
        for record in records {
            let width = record.width / 8
            packet += [0xC0, 12, 0, record.family == .ipv4 ? 1 : 28, 0, 1]
            packet += [3, 2, 1, 0].map { UInt8(truncatingIfNeeded: ttl >> ($0 * 8)) }
            packet += [0, UInt8(width)]
            packet += (0..<width).reversed().map { UInt8(truncatingIfNeeded: record.bits >> UInt128($0 * 8)) }
        }
        return packet
    }
}
