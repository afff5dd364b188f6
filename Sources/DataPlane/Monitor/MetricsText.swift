/// The labels of one sample, written out once and used for several.
struct MetricLabels: Sendable, ExpressibleByDictionaryLiteral {
    fileprivate let text: [UInt8]

    static let none: MetricLabels = [:]

    init(dictionaryLiteral labels: (String, String)...) {
        var text: [UInt8] = []
        for (name, value) in labels {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text += name.utf8
            text += "=\"".utf8
            for octet in value.utf8 {
                // What the format wants escaped; everything else may stand as it is.
                switch octet {
                case UInt8(ascii: "\\"): text += "\\\\".utf8
                case UInt8(ascii: "\""): text += "\\\"".utf8
                case UInt8(ascii: "\n"): text += "\\n".utf8
                default: text.append(octet)
                }
            }
            text.append(UInt8(ascii: "\""))
        }
        self.text = text
    }
}

/// Writes metrics in Prometheus' text format, version 0.0.4.
///
/// All samples of one metric have to follow its description, so callers go by metric and not by service.
struct MetricsText {
    enum Kind: String {
        case counter, gauge, histogram, summary
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []
    private var name: [UInt8] = []

    /// Begins a metric. `help` is plain text of one line, without a backslash.
    mutating func metric(_ name: String, _ kind: Kind, _ help: String) {
        self.name = Array(name.utf8)
        bytes += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n".utf8
    }

    /// A sample of the metric; its name has a suffix where the kind has several series.
    mutating func sample(
        _ value: UInt64, _ labels: MetricLabels = .none, _ more: MetricLabels = .none, suffix: String = ""
    ) {
        begin(labels, more, suffix)
        append(decimal: value)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// A number of seconds, given in nanoseconds, to the millisecond.
    mutating func sample(seconds nanoseconds: UInt64) {
        sample(milliseconds: nanoseconds / 1_000_000, .none, suffix: "")
    }

    /// A number of seconds, given in milliseconds.
    mutating func sample(milliseconds: UInt64, _ labels: MetricLabels, suffix: String) {
        begin(labels, .none, suffix)
        append(seconds: milliseconds)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// A whole histogram of times: `bounds` in milliseconds, `counts` within each and not within the one before, and
    /// last those beyond all; `sum` of all times in milliseconds.
    mutating func histogram(_ name: String, _ help: String, bounds: [UInt64], _ counts: [UInt64], sum: UInt64) {
        metric(name, .histogram, help)
        var total: UInt64 = 0
        for (bound, count) in zip(bounds, counts) {
            total &+= count
            var text = MetricsText()
            text.append(seconds: bound)
            sample(total, ["le": String(decoding: text.bytes, as: UTF8.self)], suffix: "_bucket")
        }
        total &+= counts.last ?? 0
        sample(total, ["le": "+Inf"], suffix: "_bucket")
        sample(milliseconds: sum, .none, suffix: "_sum")
        sample(total, suffix: "_count")
    }

    private mutating func begin(_ labels: MetricLabels, _ more: MetricLabels, _ suffix: String) {
        bytes += name
        bytes += suffix.utf8
        if !labels.text.isEmpty || !more.text.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes += labels.text
            if !labels.text.isEmpty, !more.text.isEmpty { bytes.append(UInt8(ascii: ",")) }
            bytes += more.text
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
    }

    private mutating func append(seconds milliseconds: UInt64) {
        append(decimal: milliseconds / 1000)
        bytes.append(UInt8(ascii: "."))
        let rest = milliseconds % 1000
        if rest < 100 { bytes.append(UInt8(ascii: "0")) }
        if rest < 10 { bytes.append(UInt8(ascii: "0")) }
        append(decimal: rest)
    }

    private mutating func append(decimal value: UInt64) {
        let start = bytes.count
        var rest = value
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
