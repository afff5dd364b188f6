import Domain
import JSON

extension Monitoring {
    /// The fleet's, a member of its settings.
    static let schema = DocumentSchema(nil, fields: MonitoringFields.fleet.all)

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
        let numbers = MonitoringNumbers(&reader, .fleet)
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
    /// The member `monitoring` of a server.
    static let field = ObjectField(
        "monitoring",
        DocumentSchema(
            "MonitoringOverrides",
            note: "How a server is watched where that differs from the fleet; null for as the fleet has it. "
                + "The ports are those at which its public addresses answer.",
            isAnsweredAsSent: true, fields: MonitoringFields.server.all + [Fields.httpPort, Fields.httpsPort]),
        standard: MonitoringOverrides().document, expected: "an object")

    private enum Fields {
        static let httpPort = PortField("httpPort", standard: .http)
        static let httpsPort = PortField("httpsPort", standard: .https)
    }

    /// A server's: null where it is as the fleet has it.
    var document: JSONValue {
        [
            "intervalSeconds": .whole(interval), "timeoutSeconds": .whole(timeout), "threshold": .whole(threshold),
            "recoveryThreshold": .whole(recoveryThreshold), "quorum": .whole(quorum),
            "httpPort": .integer(Int(httpPort.number)), "httpsPort": .integer(Int(httpsPort.number)),
        ]
    }

    /// Reads a server's, or answers nil with findings. Whether it goes with the fleet's is a rule, as the fleet's may
    /// change.
    static func read(_ value: JSONValue, at pointer: String, _ findings: Findings) -> MonitoringOverrides? {
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: pointer, findings) else { return nil }
        let numbers = MonitoringNumbers(&reader, .server)
        let httpPort = reader.read(Fields.httpPort)
        let httpsPort = reader.read(Fields.httpsPort)
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

/// The numbers that the fleet's monitoring and a server's have in common, as fields.
private struct MonitoringFields {
    let interval: IntegerField
    let timeout: IntegerField
    let threshold: IntegerField
    let recoveryThreshold: IntegerField
    let quorum: IntegerField

    var all: [any Field] { [interval, timeout, threshold, recoveryThreshold, quorum] }

    static let fleet = MonitoringFields(
        interval: IntegerField(
            "intervalSeconds", "seconds", in: Monitoring.intervals, standard: Monitoring.standard.interval,
            note: "From the start of one probe to that of the next."),
        timeout: IntegerField(
            "timeoutSeconds", "seconds", in: Monitoring.intervals, standard: Monitoring.standard.timeout,
            note: "No longer than the interval."),
        threshold: IntegerField(
            "threshold", "probes", in: Monitoring.thresholds, standard: Monitoring.standard.threshold,
            note: "Consecutive misses after which a vantage calls a server down."),
        recoveryThreshold: IntegerField(
            "recoveryThreshold", "probes", in: Monitoring.thresholds, standard: Monitoring.standard.recoveryThreshold,
            note: "Consecutive answers after which it calls it up again."),
        quorum: IntegerField(
            "quorum", in: Monitoring.quorums, isNullable: true,
            expected: "a whole number of vantages from \(Monitoring.quorums.lowerBound) to "
                + "\(Monitoring.quorums.upperBound), or null for a majority",
            note: "How many vantages have to agree; null for more than half of those that report."))

    /// Null where the server is watched as the fleet is.
    static let server = MonitoringFields(
        interval: fleet.interval.orNothing, timeout: fleet.timeout.orNothing, threshold: fleet.threshold.orNothing,
        recoveryThreshold: fleet.recoveryThreshold.orNothing, quorum: fleet.quorum.orNothing)
}

/// The numbers themselves, as far as they could be read.
private struct MonitoringNumbers {
    var interval: Int?
    var timeout: Int?
    var threshold: Int?
    var recoveryThreshold: Int?
    var quorum: Int?

    init(_ reader: inout ObjectReader, _ fields: MonitoringFields) {
        interval = reader.read(fields.interval)
        // What holds when nothing is said depends on the interval.
        timeout = reader.read(fields.timeout, standard: nil)
        threshold = reader.read(fields.threshold)
        recoveryThreshold = reader.read(fields.recoveryThreshold)
        quorum = reader.read(fields.quorum)
    }
}

extension JSONValue {
    /// A number, or null where there is none.
    static func whole(_ number: Int?) -> JSONValue { number.map { .integer($0) } ?? .null }
}
