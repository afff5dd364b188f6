import Domain
import JSON

extension Monitoring {
    /// The fleet's, in full.
    var document: JSONValue {
        [
            "intervalSeconds": .integer(interval), "timeoutSeconds": .integer(timeout),
            "threshold": .integer(threshold), "recoveryThreshold": .integer(recoveryThreshold),
            "quorum": .whole(quorum),
        ]
    }

    /// Reads the fleet's, or answers nil with findings. What is left out is as it is when nobody says anything.
    static func read(_ value: JSONValue, at pointer: String, _ findings: Findings) -> Monitoring? {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: pointer, findings) else { return nil }
        let standard = Monitoring.standard
        let numbers = MonitoringNumbers(
            &reader,
            standing: MonitoringNumbers(
                interval: standard.interval, timeout: nil, threshold: standard.threshold,
                recoveryThreshold: standard.recoveryThreshold, quorum: standard.quorum))
        reader.finish()
        guard findings.all.count == earlier, let interval = numbers.interval, let threshold = numbers.threshold,
            let recovery = numbers.recoveryThreshold
        else { return nil }
        do {
            return try Monitoring(
                interval: interval, timeout: numbers.timeout ?? min(standard.timeout, interval), threshold: threshold,
                recoveryThreshold: recovery, quorum: numbers.quorum)
        } catch {
            // Each number is in its range; what is left to be wrong is a timeout that is longer than the interval.
            findings.add(reader.pointer(to: "timeoutSeconds"), error)
            return nil
        }
    }
}

extension MonitoringOverrides {
    /// A server's: null where it is as the fleet has it.
    var document: JSONValue {
        [
            "intervalSeconds": .whole(interval), "timeoutSeconds": .whole(timeout), "threshold": .whole(threshold),
            "recoveryThreshold": .whole(recoveryThreshold), "quorum": .whole(quorum),
            "httpPort": .integer(Int(httpPort.number)), "httpsPort": .integer(Int(httpsPort.number)),
        ]
    }

    /// Reads a server's, or answers nil with findings. Whether it goes with the fleet's is a rule, as the fleet's may change.
    static func read(_ value: JSONValue, at pointer: String, _ findings: Findings) -> MonitoringOverrides? {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: pointer, findings) else { return nil }
        let numbers = MonitoringNumbers(&reader, standing: MonitoringNumbers())
        let httpPort = reader.port("httpPort", default: .http)
        let httpsPort = reader.port("httpsPort", default: .https)
        reader.finish()
        guard findings.all.count == earlier, let httpPort, let httpsPort else { return nil }
        var overrides = MonitoringOverrides()
        overrides.interval = numbers.interval
        overrides.timeout = numbers.timeout
        overrides.threshold = numbers.threshold
        overrides.recoveryThreshold = numbers.recoveryThreshold
        overrides.quorum = numbers.quorum
        overrides.httpPort = httpPort
        overrides.httpsPort = httpsPort
        return overrides
    }
}

/// The numbers that the fleet's monitoring and a server's have in common.
private struct MonitoringNumbers {
    var interval: Int?
    var timeout: Int?
    var threshold: Int?
    var recoveryThreshold: Int?
    var quorum: Int?

    init(
        interval: Int? = nil, timeout: Int? = nil, threshold: Int? = nil, recoveryThreshold: Int? = nil,
        quorum: Int? = nil
    ) {
        self.interval = interval
        self.timeout = timeout
        self.threshold = threshold
        self.recoveryThreshold = recoveryThreshold
        self.quorum = quorum
    }

    /// `standing` is what holds for those that are left out.
    init(_ reader: inout ObjectReader, standing: MonitoringNumbers) {
        let seconds = "a whole number of seconds from 1 to 3600"
        let probes = "a whole number of probes from 1 to 100"
        interval = reader.integer(
            "intervalSeconds", default: standing.interval, in: Monitoring.intervals, expected: seconds)
        timeout = reader.integer(
            "timeoutSeconds", default: standing.timeout, in: Monitoring.intervals, expected: seconds)
        threshold = reader.integer(
            "threshold", default: standing.threshold, in: Monitoring.thresholds, expected: probes)
        recoveryThreshold = reader.integer(
            "recoveryThreshold", default: standing.recoveryThreshold, in: Monitoring.thresholds, expected: probes)
        quorum = reader.integer(
            "quorum", default: standing.quorum, in: Monitoring.quorums,
            expected: "a whole number of vantages from 1 to 64, or null for a majority")
    }
}

extension JSONValue {
    /// A number, or null where there is none.
    static func whole(_ number: Int?) -> JSONValue { number.map { .integer($0) } ?? .null }
}
