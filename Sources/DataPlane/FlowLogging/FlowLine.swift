import Domain
import Syscalls

/// One line of the flow log: a JSON object (RFC 8259). What is not known is left out; docs/flows.md says what each
/// member means.
struct FlowLine {
    let record: FlowRecord
    let server: String
    /// nil when it has reached none.
    let service: String?

    /// The line, with its end.
    func rendered() -> [UInt8] {
        var object = JSONObject()
        object.add("time", UTCTime(nanosecondsSince1970: record.time).rfc3339)
        object.add("event", record.event == .open ? "open" : "end")
        object.add("server", server)
        if let service { object.add("service", service) }
        object.add("protocol", record.isHTTP ? "http" : "https")
        if let client = record.client { object.add("client", client.description) }
        if let called = record.called { object.add("called", called.description) }
        if !record.name.isEmpty { object.add("name", record.name.description) }
        if let rule { object.add("rule", rule) }
        if let endpoint = record.endpoint { object.add("endpoint", endpoint.description) }
        if let target = record.target { object.add("target", target == 0 ? "endpoint" : "fallback \(target)") }
        object.add("bytesUp", record.bytesUp)
        object.add("bytesDown", record.bytesDown)
        object.add("milliseconds", record.age)
        if record.connectedAfter > 0 { object.add("connectedAfter", UInt64(record.connectedAfter)) }
        if record.answeredAfter > 0 { object.add("answeredAfter", UInt64(record.answeredAfter)) }
        if record.isHTTP {
            object.add("requests", UInt64(record.requests))
            if record.status > 0 { object.add("status", UInt64(record.status)) }
        }
        if let ending { object.add("ending", ending) }
        if record.oneIn > 1 { object.add("oneIn", UInt64(record.oneIn)) }
        return object.line
    }

    private var rule: String? {
        switch record.rule {
        case .none: nil
        case .domain: "domain"
        case .wildcard: "wildcard"
        case .address: "address"
        case .adopted: "adopted"
        }
    }

    private var ending: String? {
        switch record.event {
        case .open: nil
        case .parked: "parked"
        case .stopped: "stopped"
        case .end: record.ending?.label ?? "closed"
        }
    }
}

/// Writes one JSON object on one line.
private struct JSONObject {
    private var octets = [UInt8(ascii: "{")]

    var line: [UInt8] { octets + [UInt8(ascii: "}"), UInt8(ascii: "\n")] }

    mutating func add(_ name: String, _ value: UInt64) {
        begin(name)
        octets += String(value).utf8
    }

    mutating func add(_ name: String, _ text: String) {
        begin(name)
        octets.append(UInt8(ascii: "\""))
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): octets += [UInt8(ascii: "\\"), octet]
            case 0..<0x20: octets += "\\u00\(octet < 0x10 ? "0" : "")\(String(octet, radix: 16))".utf8
            default: octets.append(octet)
            }
        }
        octets.append(UInt8(ascii: "\""))
    }

    private mutating func begin(_ name: String) {
        if octets.count > 1 { octets.append(UInt8(ascii: ",")) }
        octets += "\"\(name)\":".utf8
    }
}
