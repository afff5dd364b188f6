import Domain
import JSON

extension HealthCheck {
    /// The member `check` of an endpoint.
    static let field = ObjectField(
        "check",
        DocumentSchema(
            "HealthCheck",
            note: "How each server that carries the service checks the endpoint and its fallbacks: new connections go "
                + "to the first that is healthy. tcp connects to the HTTPS port, tls makes a handshake there with a "
                + "client domain as its SNI, http asks the HTTP port for the path, and any status below 500 is an "
                + "answer.",
            fields: [
                Fields.kind, Fields.path, Fields.interval, Fields.timeout, Fields.rise, Fields.fall, Fields.holdDown,
            ]),
        null: .nothing, standard: JSONValue.null, expected: "an object with a kind, or null")

    private enum Fields {
        static let kind = TextField<Kind>(choice: "kind")
        static let path = TextField(
            "path", .requestPath, isRequired: false, standard: "/", expected: "a path such as /health"
        ) { text throws(InvalidValue) in try RequestPath.checked(text) }
        static let interval = IntegerField(
            "intervalSeconds", "seconds", in: intervals, standard: standardInterval,
            note: "From the start of one check of a target to that of the next.")
        static let timeout = IntegerField(
            "timeoutSeconds", "seconds", in: intervals, standard: standardTimeout, note: "No longer than the interval.")
        static let rise = IntegerField(
            "rise", "checks", in: counts, standard: standardRise,
            note: "Consecutive successes that make a target healthy again.")
        static let fall = IntegerField(
            "fall", "checks", in: counts, standard: standardFall,
            note: "Consecutive failures that make it unhealthy.")
        static let holdDown = IntegerField(
            "holdDownSeconds", "seconds", in: holdDowns, standard: standardHoldDown,
            note: "For how long it has to have been healthy again before connections go back to it.")
    }

    var document: JSONValue {
        [
            "kind": .string(kind.rawValue), "path": .string(path), "intervalSeconds": .integer(interval),
            "timeoutSeconds": .integer(timeout), "rise": .integer(rise), "fall": .integer(fall),
            "holdDownSeconds": .integer(holdDown),
        ]
    }

    /// Reads the member of an endpoint. Nil when there is none, or with findings. What is left out is as it is when
    /// nobody says anything.
    static func read(_ endpoint: inout ObjectReader) -> HealthCheck? {
        guard let value = endpoint.read(field) else { return nil }
        let findings = endpoint.findings
        let earlier = findings.all.count
        guard var reader = ObjectReader(value, at: endpoint.pointer(to: "check"), findings) else { return nil }
        let kind = reader.read(Fields.kind)
        let path = reader.read(Fields.path)
        let interval = reader.read(Fields.interval)
        // A check that is made every second, and of which nothing else is said, does not take two.
        let timeout = reader.read(Fields.timeout, standard: min(standardTimeout, interval ?? standardTimeout))
        let rise = reader.read(Fields.rise)
        let fall = reader.read(Fields.fall)
        let holdDown = reader.read(Fields.holdDown)
        reader.finish()
        guard findings.all.count == earlier, let kind, let interval, let timeout, let rise, let fall, let holdDown
        else { return nil }
        do {
            return try HealthCheck(
                kind: kind, path: path ?? "/", interval: interval, timeout: timeout, rise: rise, fall: fall,
                holdDown: holdDown)
        } catch {
            // Each number is in its range; what is left to be wrong is a timeout that is longer than the interval.
            findings.add(reader.pointer(to: "timeoutSeconds"), error)
            return nil
        }
    }
}
