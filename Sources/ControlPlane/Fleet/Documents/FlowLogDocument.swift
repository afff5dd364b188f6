import Domain
import JSON

extension FlowLog {
    /// The member `flowLog` of a service and of a server.
    static let field = ObjectField(
        "flowLog",
        DocumentSchema(
            "FlowLog",
            note: "Which flows are written down, one line at the end of each. Null: a service does as its server does, "
                + "a server writes none.",
            isAnsweredAsSent: true, fields: [Fields.oneIn, Fields.interval]),
        null: .standard, standard: standard.document, expected: "an object with oneIn, or null")

    private enum Fields {
        static let oneIn = IntegerField(
            "oneIn", in: samples, isNullable: true,
            expected: "a whole number from 1 to \(samples.upperBound), 0 for no flow, or null",
            note: "One flow in so many: 1 for each, 0 for none.")
        static let interval = IntegerField(
            "intervalSeconds", in: intervals, isNullable: true,
            expected: "a whole number of seconds from \(intervals.lowerBound) to \(intervals.upperBound), or null",
            note: "A line every so often for flows that last, 0 for only the one at the end. "
                + "Null: as the server has it, or \(standardInterval).")
    }

    var document: JSONValue {
        ["oneIn": .whole(oneIn.map { Int($0) }), "intervalSeconds": .whole(interval.map { Int($0) })]
    }

    /// Reads the member of a service or a server. Nothing said when there is none; nil with findings.
    static func read(_ owner: inout ObjectReader) -> FlowLog? {
        owner.read(field, standard: .standard) { reader throws(InvalidValue) in
            try FlowLog(
                oneIn: reader.read(Fields.oneIn).map { UInt32(clamping: $0) },
                interval: reader.read(Fields.interval).map { UInt32(clamping: $0) })
        }
    }
}
