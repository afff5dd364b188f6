import Domain

/// One probe as it is repeated: what is asked, and how often.
///
/// A server's monitor endpoint is one, and each service's check through that server is another: what changes of one
/// lets the others go on.
struct ProbeSeries: Hashable, Sendable {
    let question: ProbeQuestion
    let interval: Duration
    let timeout: Duration

    /// When the round after the one that was due at `due` begins. One that is late delays none of the others, and those
    /// whose time has passed altogether are left out: a process that was held up for a minute has nothing to make up
    /// for.
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
        let monitor = ProbeQuestion.monitor(
            of: server, host: hostname, addresses: addresses, httpPort: httpPort, httpsPort: httpsPort, key: key)
        let checks = checks.map { check in
            monitor.check(of: check.service, host: check.host, path: check.path, usesTLS: check.usesTLS)
        }
        return ([monitor] + checks).map { ProbeSeries(question: $0, interval: interval, timeout: timeout) }
    }
}
