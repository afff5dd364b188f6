import Domain
import Syscalls

/// Looks a name up once, in both families. For names that nobody has to keep resolved.
final class NameLookup {
    enum Outcome {
        /// Addresses, and for how many seconds they hold.
        case addresses([Address], seconds: UInt32)
        case problem(String)
    }

    private let queries: NameQueries
    private var answers: [Address.Family: NameAnswer] = [:]
    /// When the first addresses came.
    private var firstAt: UInt64?

    /// Asks `servers`, or those of `/etc/resolv.conf` when there are none.
    init(_ name: DomainName, servers: [TransportAddress]) throws(SystemCallError) {
        queries = try NameQueries(servers: servers)
        for family in [Address.Family.ipv6, .ipv4] {
            queries.ask(name, family, .usual, token: UInt64(family.rawValue))
        }
    }

    func add(to set: inout PollSet) { queries.add(to: &set) }

    func patience(atMost most: Int32) -> Int32 { queries.patience(atMost: most) }

    func process(_ set: PollSet) { queries.process(set) }

    /// What came of it, once that is known: both families have been answered, or one has addresses and the other is
    /// late.
    func takeOutcome() -> Outcome? {
        let now = Clock.monotonicNanoseconds / 1_000_000
        for (token, answer) in queries.takeFinished() {
            guard let family = Address.Family(rawValue: UInt8(truncatingIfNeeded: token)) else { continue }
            answers[family] = answer
            if case .addresses = answer { firstAt = firstAt ?? now }
        }
        let isLate = firstAt.map { now - $0 >= NameRecord.resolutionDelay } ?? false
        guard answers.count == 2 || isLate else { return nil }
        var found: [Address] = []
        var least = UInt32.max
        var problems: [String] = []
        for family in [Address.Family.ipv6, .ipv4] {
            switch answers[family] {
            case .addresses(let addresses, let seconds):
                found += addresses
                least = min(least, seconds)
            case .nothing(let problem): problems.append(problem)
            // Of two problems the failure is told: it may be why there seems to be nothing.
            case .failed(let failure): problems.insert(failure.rawValue, at: 0)
            case nil: break
            }
        }
        return found.isEmpty ? .problem(problems.first ?? "") : .addresses(found, seconds: least)
    }
}
