import Foundation
import JSON

/// A failover as it is followed from answer to answer: what is new in it, whether it is over, and what it lacks.
struct FailoverProgress {
    private(set) var failover: JSONValue
    private var shown = 0

    init(_ failover: JSONValue) { self.failover = failover }

    /// Takes the newest answer, and gives the lines of the timeline that have come since the one before.
    mutating func take(_ newest: JSONValue) -> [String] {
        failover = newest
        let report = FailoverReport(newest)
        let entries = newest["timeline"].items
        defer { shown = max(shown, entries.count) }
        return entries.dropFirst(shown).flatMap(report.lines(of:))
    }

    var isOver: Bool { ["done", "abandoned", "conflicted"].contains(failover["stage"].text) }

    /// Whether every service was moved.
    var hasSucceeded: Bool { failover["stage"].text == "done" && FailoverMoves(failover).unmoved.isEmpty }

    private var name: String { FailoverReport(failover).name }
    private var remedy: String {
        "`ddirect failover show \(failover["id"].integer.map(String.init) ?? "ID")` says more"
    }

    /// How it ended, when it ended well.
    var success: String {
        let report = FailoverReport(failover)
        let authorities = Set(
            failover["zones"].items.flatMap { $0["authorities"].items }.compactMap { $0["server"].text })
        let verified = authorities.isEmpty ? "" : ", and \(count(authorities.count, "authoritative server")) say so"
        let time = failover["endedAt"].text.flatMap(report.moment).map { " at \($0)" } ?? ""
        let end = failover["returnsAt"].text.map { "; it ends by itself at \($0.shortTime) UTC" } ?? ""
        return "\(name) is done\(time): \(FailoverMoves(failover).summary)\(verified)\(end)"
    }

    /// Why it did not end well, or what it lacks after so many seconds.
    func shortfall(after seconds: Int) -> String {
        let stage = failover["stage"].text ?? "unknown"
        switch stage {
        case "done":
            return
                "\(name) is done, but did not move \(FailoverMoves(failover).unmoved.joined(separator: ", ")); \(remedy)"
        case "abandoned", "conflicted":
            let last = failover["timeline"].items.last { ["abandoned", "conflict"].contains($0["kind"].text) }
            let why = last?["detail"].text ?? missing.first ?? "no reason is given"
            let what = stage == "abandoned" ? "was abandoned" : "found other records than it expected, and left them"
            return "\(name) \(what): \(why.printable); \(remedy)"
        default:
            let lacks = missing.isEmpty ? "" : ": " + missing.joined(separator: "; ")
            return "\(name) is still \(stage.printable) after \(seconds) s\(lacks); \(remedy)"
        }
    }

    /// What is not there yet, zone by zone and service by service.
    var missing: [String] {
        let zones = failover["zones"].items.flatMap { zone -> [String] in
            let name = (zone["zone"].text ?? "a zone").printable
            let detail = zone["detail"].text.flatMap { $0.isEmpty ? nil : " (\($0.printable))" } ?? ""
            if zone["writtenAt"].isNull { return ["\(name) is not written\(detail)"] }
            let silent = zone["authorities"].items.filter { $0["agreesAt"].isNull }.compactMap {
                $0["server"].text?.printable
            }
            if !silent.isEmpty { return ["\(name) is not answered so by \(silent.joined(separator: ", "))\(detail)"] }
            return zone["verifiedAt"].isNull ? ["\(name) is not verified\(detail)"] : []
        }
        let moves = FailoverMoves(failover).unmoved
        let stragglers =
            failover["stage"].text == "following"
            ? failover["traffic"].items.filter { $0["toFailed"].integer ?? 0 > 0 }.map {
                "\($0["service"].text ?? "?") has had \(count($0["toFailed"].integer ?? 0, "new connection")) "
                    + "at the server that it left"
                    .printable
            } : []
        return zones + (moves.isEmpty ? [] : ["not moved: " + moves.joined(separator: ", ")]) + stragglers
    }
}

extension Conversation {
    /// How often a failover that is followed is looked at.
    private static let pause = Duration.milliseconds(500)
    /// Longer than a failover takes with the greatest TTL that one would steer by; who waits longer reads the history.
    private static let patience = Duration.seconds(120)

    /// Begins a failover or failback, says so, and follows it to its end if asked to.
    func begin(_ call: Call, _ body: JSONValue, wait: Bool) async throws {
        var call = call
        call.body = body
        // Never sent twice: what was begun by the first would be what stops the second.
        call.whereToLook = "ddirect failover status"
        call.patience = .seconds(45)
        let begun = try await client.send(call).body
        guard wait else { return output(printsJSON ? begun.pretty : FailoverReport(begun).beginning) }
        if !printsJSON { output(FailoverReport(begun).heading) }
        try await follow(begun)
    }

    private func follow(_ begun: JSONValue) async throws {
        guard let id = begun["id"].integer else {
            throw Failure.broken("the API's answer has no id in it; is ddirect older than ddirect-control?")
        }
        let end = ContinuousClock.now + Conversation.patience
        var progress = FailoverProgress(begun)
        var outage: String?
        show(progress.take(begun))
        while !progress.isOver, ContinuousClock.now < end {
            try await Task.sleep(for: Conversation.pause)
            do {
                show(progress.take(try await client.send(Call(.get, "failovers", String(id))).body))
                outage = nil
            } catch Failure.unreachable(let why) {
                // The failover goes on whether or not we can see it.
                if outage == nil { say("ddirect: \(why) Until it is back, it is tried again.") }
                outage = why
            }
        }
        if let outage { throw Failure.unreachable(outage) }
        if printsJSON { output(progress.failover.pretty) }
        guard progress.hasSucceeded else {
            throw Failure.incomplete(progress.shortfall(after: Int(Conversation.patience.components.seconds)))
        }
        if !printsJSON { output(progress.success) }
    }

    private func show(_ lines: [String]) {
        if !printsJSON, !lines.isEmpty { output(lines) }
    }
}
