/// Reads server-sent events (WHATWG HTML, "Server-sent events") from bytes that come in pieces, cut anywhere.
struct ServerSentEvents {
    struct Event: Equatable, Sendable {
        let kind: String
        let data: String
    }

    /// Of all lines of one event. Ours have some hundred octets.
    static let longestEvent = 1 << 20

    /// The event to go on behind when the stream is cut off.
    private(set) var lastID: String?
    /// How long to wait before coming back, when the stream has said so.
    private(set) var retry: Duration?

    private var line: [UInt8] = []
    private var isFirstLine = true
    private var endedWithReturn = false
    /// Octets since the last event ended.
    private var length = 0
    private var id: String?
    private var kind = ""
    private var data: [String] = []

    /// Takes the next bytes, and gives the events that they complete.
    mutating func take(_ bytes: some Sequence<UInt8>) throws(Failure) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            // A line ends with CR, LF or both.
            let isSecondHalf = endedWithReturn && byte == UInt8(ascii: "\n")
            endedWithReturn = byte == UInt8(ascii: "\r")
            if isSecondHalf { continue }
            guard byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") else {
                if let event = endLine() { events.append(event) }
                continue
            }
            guard length < ServerSentEvents.longestEvent else {
                throw .broken(
                    "the API sent an event of more than \(ServerSentEvents.longestEvent >> 20) MiB, which is none of its own"
                )
            }
            length += 1
            line.append(byte)
        }
        return events
    }

    private mutating func endLine() -> Event? {
        var octets = line[...]
        line.removeAll(keepingCapacity: true)
        if isFirstLine, octets.starts(with: [0xEF, 0xBB, 0xBF]) { octets = octets.dropFirst(3) }
        isFirstLine = false
        guard let first = octets.first else { return endEvent() }
        // A comment, such as a heartbeat.
        guard first != UInt8(ascii: ":") else {
            if data.isEmpty { length = 0 }
            return nil
        }
        let parts = octets.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count == 2 ? parts[1] : []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        take(field: String(decoding: parts[0], as: UTF8.self), String(decoding: value, as: UTF8.self))
        return nil
    }

    private mutating func take(field: String, _ value: String) {
        switch field {
        case "event": kind = value
        case "data": data.append(value)
        case "id": if !value.utf8.contains(0) { id = value }
        case "retry":
            let isNumber = !value.isEmpty && value.utf8.allSatisfy { (0x30...0x39).contains($0) }
            if isNumber, let milliseconds = Int(value) { retry = .milliseconds(milliseconds) }
        // What is not known is skipped.
        default: break
        }
    }

    private mutating func endEvent() -> Event? {
        defer {
            kind = ""
            data = []
            length = 0
        }
        lastID = id
        guard !data.isEmpty else { return nil }
        return Event(kind: kind.isEmpty ? "message" : kind, data: data.joined(separator: "\n"))
    }
}
