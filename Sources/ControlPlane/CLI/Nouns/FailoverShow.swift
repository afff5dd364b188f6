import Foundation
import JSON

/// One failover for people: what it is, and what happened when.
struct FailoverReport {
    private let failover: JSONValue
    /// What moments are counted from: the first miss, or else the first thing that happened.
    private let origin: Date?

    init(_ failover: JSONValue) {
        self.failover = failover
        let timeline = failover["timeline"].items
        let first = timeline.first { $0["kind"].text == "firstMiss" } ?? timeline.first
        origin = (first?["at"] ?? failover["at"]).date
    }

    /// `failover 12 of za1`, `drill 13 of za1`.
    var name: String {
        let kind = failover["kind"].text ?? "failover"
        let noun = ["drill", "failback"].contains(kind) ? kind : "failover"
        return "\(noun) \(failover["id"].integer.map(String.init) ?? "?") of \(failover["server"].text ?? "?")"
            .printable
    }

    /// What is about to happen.
    var heading: String { "\(name): \(FailoverMoves(failover).summary)" }

    /// The same for those who do not stay to see it.
    var beginning: String {
        let end = failover["returnsAt"].text.map { ", and ends by itself at \($0.shortTime) UTC" } ?? ""
        return "\(name) has begun: \(FailoverMoves(failover).summary)\(end); "
            + "`ddirect failover show \(failover["id"].integer.map(String.init) ?? "ID")` tells how it goes"
    }

    var lines: [String] {
        let timeline = failover["timeline"].items
        return details.lines
            + section("timeline", timeline.flatMap(lines(of:)))
            + section("zones", failover["zones"].items.flatMap(zone))
            + section("traffic", failover["traffic"].items.map(FailoverReport.traffic))
    }

    private func section(_ title: String, _ lines: [String]) -> [String] { lines.isEmpty ? [] : ["", title] + lines }

    private var details: Details {
        var details = Details()
        details.add(
            failover["kind"].text == "failback" ? "failback" : "failover", failover["id"].integer.map(String.init))
        details.add("kind", failover["kind"].text)
        details.add("server", failover["server"].text)
        details.add("stage", failover["stage"].text)
        details.add("in force", failover["inForce"].bool == true ? "yes" : "no")
        details.add("reason", failover["reason"].text)
        details.add("author", failover["author"].text)
        details.add("decided", failover["at"].text.map { "\($0.shortTime) UTC" })
        details.add("ended", failover["endedAt"].text.map { "\($0.shortTime) UTC" } ?? "not yet")
        if let returns = failover["returnsAt"].text { details.add("returns", "\(returns.shortTime) UTC") }
        details.add("moves", FailoverMoves(failover).lines)
        return details
    }

    // MARK: Moments

    /// When it was, counted from the first miss: `+3.1 s`.
    func moment(_ time: String) -> String? {
        guard let origin, let date = JSONValue.string(time).date else { return nil }
        return FailoverReport.relative(date.timeIntervalSince(origin))
    }

    /// Tenths of seconds while they matter, later the two greatest units.
    static func relative(_ seconds: TimeInterval) -> String {
        let tenths = Int((seconds * 10).rounded().clamped(to: -1e15...1e15))
        let sign = tenths < 0 ? "-" : "+"
        let size = abs(tenths)
        return sign + (size < 10_000 ? "\(size / 10).\(size % 10) s" : spell(seconds: size / 10))
    }

    private func column(_ time: JSONValue) -> String {
        let text = time.text.flatMap(moment) ?? "?"
        return String(repeating: " ", count: max(0, FailoverReport.momentWidth - text.count)) + text
    }

    /// Of `+999.9 s`.
    private static let momentWidth = 9
    /// Of `first miss`, the widest of those below.
    private static let kindWidth = 10

    // MARK: Parts

    /// An entry of the timeline, and below it what each vantage saw.
    func lines(of entry: JSONValue) -> [String] {
        let kind = entry["kind"].text ?? "note"
        let word = kind == "firstMiss" ? "first miss" : kind
        let padding = String(repeating: " ", count: max(0, FailoverReport.kindWidth - word.count))
        let heading = "\(column(entry["at"]))  \(word)\(padding)  \(entry["detail"].text ?? "")"
        let indentation = String(repeating: " ", count: FailoverReport.momentWidth + FailoverReport.kindWidth + 6)
        let vantages = entry["evidence"].items
        let width = vantages.compactMap { $0["vantage"].text?.count }.max() ?? 0
        let evidence = vantages.map { seen -> String in
            let vantage = seen["vantage"].text ?? "?"
            let space = String(repeating: " ", count: max(0, width - vantage.count))
            let time = seen["at"].text.flatMap(moment).map { " at \($0)" } ?? ""
            let detail = seen["detail"].text.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
            return "\(indentation)\(vantage)\(space)  \(seen["outcome"].text ?? "?")\(time)\(detail)"
        }
        return ([heading] + evidence).map { $0.printable.withoutTrailingSpace }
    }

    private func zone(_ zone: JSONValue) -> [String] {
        let attempts = count(zone["attempts"].integer ?? 0, "attempt")
        let detail = zone["detail"].text.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
        var lines = ["  \(zone["zone"].text ?? "?"): \(zone["state"].text ?? "unknown"), \(attempts)\(detail)"]
        for (word, key) in [("written", "writtenAt"), ("verified", "verifiedAt")] {
            lines.append("\(column(zone[key], or: "-"))  \(word)\(zone[key].isNull ? ": not yet" : "")")
        }
        for authority in zone["authorities"].items {
            let word = authority["agreesAt"].isNull ? "does not answer so yet" : "answers so"
            lines.append("\(column(authority["agreesAt"], or: "-"))  \(authority["server"].text ?? "?") \(word)")
        }
        return lines.map(\.printable)
    }

    private func column(_ time: JSONValue, or absence: String) -> String {
        guard time.isNull else { return column(time) }
        return String(repeating: " ", count: FailoverReport.momentWidth - absence.count) + absence
    }

    private static func traffic(_ traffic: JSONValue) -> String {
        let counts = [("the standby", "toStandby"), ("the failed server", "toFailed")].map { place, key in
            "\(traffic[key].integer ?? 0) to \(place)"
        }
        let share = traffic["share"].number.map {
            " (\(Int(($0.clamped(to: 0...1) * 100).rounded(.down))) % to the standby)"
        }
        return "  \(traffic["service"].text ?? "?"): new connections: \(counts.joined(separator: ", "))\(share ?? "")"
            .printable
    }
}

extension JSONValue {
    /// A time of the API.
    var date: Date? {
        text.flatMap { try? Date($0, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        isNaN ? range.lowerBound : Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}

extension String {
    fileprivate var withoutTrailingSpace: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
