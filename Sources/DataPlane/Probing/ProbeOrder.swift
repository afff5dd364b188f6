import Domain
import Wire

/// One probe as it is repeated: what is asked, and how often.
struct ProbeOrder: Hashable, Sendable {
    let question: ProbeQuestion
    /// In milliseconds, from the beginning of a round to that of the next.
    let interval: UInt64
    /// In milliseconds; no longer than the interval, so that no round overlaps the next.
    let timeout: UInt64

    /// What a control plane may have probed from here. Beyond that it is in error, and so much is left out.
    static let mostTargets = 256
    static let mostAddresses = 64
    static let mostChecks = 200
    /// A control plane that asks for less does not mean it.
    private static let shortestInterval: UInt64 = 100
}

extension ProbeOrder {
    /// The orders of a list, and why something in it has none.
    static func orders(of watch: WireWatch) -> (orders: Set<ProbeOrder>, problems: [String]) {
        var orders: Set<ProbeOrder> = []
        var problems: [String] = []
        if watch.targets.count > mostTargets {
            problems.append("of \(watch.targets.count) servers only \(mostTargets) are probed")
        }
        for target in watch.targets.prefix(mostTargets) {
            if target.checks.count > mostChecks {
                problems.append("\(target.server): of \(target.checks.count) checks only \(mostChecks) are made")
            }
            do {
                let monitor = try ProbeOrder(target)
                orders.insert(monitor)
                for check in target.checks.prefix(mostChecks) {
                    do {
                        orders.insert(try ProbeOrder(check, through: monitor))
                    } catch {
                        problems.append("\(target.server), service \(check.service): \(error)")
                    }
                }
            } catch {
                problems.append("\(target.server): \(error)")
            }
        }
        return (orders, problems)
    }

    /// The monitor endpoint of a server, by each of its addresses, on both ports.
    private init(_ target: WireWatchTarget) throws(InvalidValue) {
        guard (1...ProbeOrder.mostAddresses).contains(target.addresses.count) else {
            throw InvalidValue(
                "\(target.addresses.count)", "is no number of addresses", expected: "1 to \(ProbeOrder.mostAddresses)")
        }
        var addresses: [Address] = []
        for text in target.addresses { addresses.append(try Address(text)) }
        // A key that cannot be read leaves the probe a stranger's, which is better than no probe.
        question = .monitor(
            of: try ServerName(target.server), host: try DomainName(target.hostname), addresses: addresses,
            httpPort: try Port(Int(target.httpPort)), httpsPort: try Port(Int(target.httpsPort)), key: target.key)
        interval = max(UInt64(target.intervalMilliseconds), ProbeOrder.shortestInterval)
        timeout = min(max(UInt64(target.timeoutMilliseconds), 1), interval)
    }

    /// A service's own check, through the first address of the server.
    private init(_ check: WireWatchCheck, through monitor: ProbeOrder) throws(InvalidValue) {
        question = monitor.question.check(
            of: try ServiceName(check.service), host: try DomainName(check.host),
            path: try RequestPath.checked(check.path), usesTLS: check.usesTls)
        interval = monitor.interval
        timeout = monitor.timeout
    }
}
