import Domain
import Syscalls
import Wire

/// One probe as it is repeated: who is asked for what, at which addresses, and how often.
struct ProbeOrder: Hashable, Sendable {
    /// One connection that a round makes.
    struct Door: Hashable, Sendable {
        let address: TransportAddress
        let usesTLS: Bool
    }

    /// The server through which it goes.
    let server: ServerName
    /// Whose own check it is; nil for the monitor endpoint.
    let service: ServiceName?
    /// The SNI, and the Host of the request.
    let host: DomainName
    let path: String
    let doors: [Door]
    /// In milliseconds, from the beginning of a round to that of the next.
    let interval: UInt64
    /// In milliseconds; no longer than the interval, so that no round overlaps the next.
    let timeout: UInt64
    /// The server's, with which a probe of its monitor endpoint shows that it is one; nil when there is none to show.
    let key: ProbeKey?

    /// What a control plane may have probed from here. Beyond that it is in error, and so much is left out.
    static let mostTargets = 256
    static let mostAddresses = 64
    static let mostChecks = 200
    /// A control plane that asks for less does not mean it.
    private static let shortestInterval: UInt64 = 100

    /// The request of one connection, which the server `vantage` makes at `time` (in seconds since 1970). Each has a
    /// nonce of its own.
    func request(from vantage: ServerName, at time: UInt64, nonce: UInt128) -> [UInt8] {
        let token = key.map {
            ProbeToken(
                of: vantage.text, for: server, time: time, nonce: nonce, key: $0,
                authenticate: { Authentication.hmac($0, key: $1.octets) })
        }
        return Array(ProbeToken.request(path: path, host: host, token: token).utf8)
    }

    /// What an answer comes to.
    func end(status: Int, server answering: String?) -> ProbeRound.End {
        service == nil
            ? .ofMonitor(status: status, answering: answering, server: server) : .ofService(status: status)
    }
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
        server = try ServerName(target.server)
        service = nil
        host = try DomainName(target.hostname)
        path = "/"
        guard (1...ProbeOrder.mostAddresses).contains(target.addresses.count) else {
            throw InvalidValue(
                "\(target.addresses.count)", "is no number of addresses", expected: "1 to \(ProbeOrder.mostAddresses)")
        }
        let ports = (try Port(Int(target.httpPort)), try Port(Int(target.httpsPort)))
        var doors: [Door] = []
        for text in target.addresses {
            let address = try Address(text)
            doors.append(Door(address: TransportAddress(address, port: ports.0.number), usesTLS: false))
            doors.append(Door(address: TransportAddress(address, port: ports.1.number), usesTLS: true))
        }
        self.doors = doors
        interval = max(UInt64(target.intervalMilliseconds), ProbeOrder.shortestInterval)
        timeout = min(max(UInt64(target.timeoutMilliseconds), 1), interval)
        // One that cannot be read leaves the probe a stranger's, which is better than no probe.
        key = target.key
    }

    /// A service's own check, through the first address of the server.
    private init(_ check: WireWatchCheck, through monitor: ProbeOrder) throws(InvalidValue) {
        server = monitor.server
        service = try ServiceName(check.service)
        host = try DomainName(check.host)
        path = try RequestPath.checked(check.path)
        doors = monitor.doors.first { $0.usesTLS == check.usesTls }.map { [$0] } ?? []
        interval = monitor.interval
        timeout = monitor.timeout
        // It goes on to a customer's endpoint, to which tokens are nothing.
        key = nil
    }
}
