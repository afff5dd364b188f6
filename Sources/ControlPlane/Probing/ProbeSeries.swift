import Domain

/// One probe as it is repeated: who is asked for what, at which doors, and how often.
///
/// A server's monitor endpoint is one, and each service's check through that server is another: what changes of one lets the others go on.
struct ProbeSeries: Hashable, Sendable {
    /// One way in: an address and a port. A round goes through each.
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
    let interval: Duration
    let timeout: Duration
    /// The server's, with which a probe of its monitor endpoint shows that it is one; nil for the check of a service,
    /// to which tokens are nothing.
    var key: ProbeKey?

    /// The request of one connection, made at `time`, in seconds since 1970. Each has a nonce of its own.
    func request(at time: UInt64, nonce: UInt128) -> String {
        let token = key.map {
            ProbeToken(
                of: Vantage.control.description, for: server, time: time, nonce: nonce, key: $0,
                authenticate: ProbeToken.authenticate)
        }
        return ProbeToken.request(path: path, host: host, token: token)
    }

    /// What an answer comes to.
    func end(status: Int, server answering: String?) -> ProbeRound.End {
        service == nil
            ? .ofMonitor(status: status, answering: answering, server: server) : .ofService(status: status)
    }

    /// When the round after the one that was due at `due` begins. One that is late delays none of the others, and those whose time has
    /// passed altogether are left out: a process that was held up for a minute has nothing to make up for.
    func next(after due: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard interval > .zero, now >= due else { return due + max(interval, .milliseconds(1)) }
        let passed = ((now - due) / interval).rounded(.down)
        // A thousand years of seconds are far from what the type can hold.
        return due + interval * (Int(min(passed, 1e10)) + 1)
    }
}

extension ProbeTarget {
    /// The probes that this target is made of: the monitor endpoint's by every door, each check's by the first address.
    var series: [ProbeSeries] {
        var doors: [ProbeSeries.Door] = []
        for address in addresses {
            doors.append(.init(address: TransportAddress(address, port: httpPort.number), usesTLS: false))
            doors.append(.init(address: TransportAddress(address, port: httpsPort.number), usesTLS: true))
        }
        let monitor = ProbeSeries(
            server: server, service: nil, host: hostname, path: "/", doors: doors, interval: interval, timeout: timeout,
            key: key)
        return [monitor]
            + checks.map { check in
                ProbeSeries(
                    server: server, service: check.service, host: check.host, path: check.path,
                    doors: doors.first { $0.usesTLS == check.usesTLS }.map { [$0] } ?? [],
                    interval: interval, timeout: timeout)
            }
    }
}
