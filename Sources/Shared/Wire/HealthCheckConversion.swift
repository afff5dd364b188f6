import Domain

extension WireHealthCheck {
    init(_ check: HealthCheck) {
        self.init()
        kind =
            switch check.kind {
            case .tcp: .tcp
            case .tls: .tls
            case .http: .http
            }
        path = check.path
        // What is made of a check is in its ranges, the widest of which is a day.
        intervalSeconds = UInt32(clamping: check.interval)
        timeoutSeconds = UInt32(clamping: check.timeout)
        rise = UInt32(clamping: check.rise)
        fall = UInt32(clamping: check.fall)
        holdDownSeconds = UInt32(clamping: check.holdDown)
    }

    /// The check, or nil with at least one reason added.
    func decoded(of subject: @autoclosure () -> String, _ collector: inout ReasonCollector) -> HealthCheck? {
        guard let domainKind else {
            collector.add("\(subject()): has the unknown health check \(kind.rawValue); expected tcp, tls or http")
            return nil
        }
        return collector.value(of: "\(subject()): health check") { () throws(InvalidValue) in
            try HealthCheck(
                kind: domainKind, path: path, interval: Int(intervalSeconds), timeout: Int(timeoutSeconds),
                rise: Int(rise), fall: Int(fall), holdDown: Int(holdDownSeconds))
        }
    }

    private var domainKind: HealthCheck.Kind? {
        switch kind {
        case .tcp: .tcp
        case .tls: .tls
        case .http: .http
        case .UNRECOGNIZED: nil
        }
    }
}
