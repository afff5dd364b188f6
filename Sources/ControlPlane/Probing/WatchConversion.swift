import Domain
import FoundationEssentials
package import Wire

extension WireWatch {
    package init(_ targets: [ProbeTarget]) {
        self.init()
        self.targets = targets.map { WireWatchTarget($0) }
    }
}

extension WireWatchTarget {
    init(_ target: ProbeTarget) {
        self.init()
        server = target.server.text
        hostname = target.hostname.text
        addresses = target.addresses.map(\.description)
        httpPort = UInt32(target.httpPort.number)
        httpsPort = UInt32(target.httpsPort.number)
        intervalMilliseconds = UInt32(clamping: target.interval.wholeMilliseconds)
        timeoutMilliseconds = UInt32(clamping: target.timeout.wholeMilliseconds)
        probeKey = Data(target.key?.octets ?? [])
        checks = target.checks.map { WireWatchCheck($0) }
    }
}

extension WireWatchCheck {
    init(_ check: ProbeCheck) {
        self.init()
        service = check.service.text
        host = check.host.text
        path = check.path
        usesTls = check.usesTLS
    }
}

extension Duration {
    /// Whole milliseconds, the rest cut; no more and no less than fit.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflows else { return seconds < 0 ? .min : .max }
        let (sum, tooLong) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return tooLong ? (seconds < 0 ? .min : .max) : sum
    }
}
