import DNS
import Domain
import Fleet
import FoundationEssentials
import Logging
import Notices
import Store

/// Carrying out one failover, step by step: each is stored before the next begins.
extension FailoverService {
    /// Between two attempts at a zone: soon at first, as most failures are over in a moment.
    private static let backoffs = [
        Duration.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2), .seconds(5),
    ]
    /// For how long a zone is tried, in seconds.
    private static let patience = 900.0

    func carryOut(_ id: FailoverID) async {
        // An order that came before the first task ran is found under way, too.
        guard carrying.insert(id).inserted else { return }
        defer { carrying.remove(id) }
        do {
            while let failover = underWay[id] {
                switch failover.stage {
                case .decided: try await advance(id, to: .writing)
                case .writing, .verifying: try await changeZones(id)
                case .following: try await follow(id)
                case .done, .abandoned, .conflicted: return
                }
            }
        } catch is CancellationError {
            // The next start goes on with what is stored.
        } catch {
            logger.critical("A failover cannot go on", metadata: ["failover": "\(id)", "cause": "\(error)"])
        }
    }

    /// Ends a failover of which nothing has been done, and of which nothing will be.
    func abandon(_ id: FailoverID, because reason: String) async {
        guard let failover = underWay[id] else { return }
        var step = note(.abandoned, reason, news: .failoverAbandoned)
        step.released = failover.moves.map(\.service)
        do {
            try await update(id, step) { failover in
                failover.stage = .abandoned
                failover.endedAt = Date()
            }
        } catch {
            return
        }
        for service in step.released where decisions[service] == id { decisions[service] = nil }
        underWay[id] = nil
    }

    // MARK: Writing

    /// Brings every zone to its end and proves what was written, each at its own pace: one that hangs holds up no other.
    private func changeZones(_ id: FailoverID) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for index in (underWay[id]?.zones ?? []).indices {
                group.addTask {
                    try await self.writeZone(id, index)
                    try await self.verifyZone(id, index)
                }
            }
        }
        guard let failover = underWay[id] else { return }
        guard !failover.zones.contains(where: { $0.state == .pending }) else {
            // What led to the decision had passed for a moment; it may be back already, and the zones are tried on then.
            guard isObsolete(failover) else { return }
            return await abandon(id, because: "\(failover.server) answers again, and nothing has been changed yet")
        }
        guard !failover.moves.contains(where: failover.hasChanged) else { return try await advance(id, to: .following) }
        try await update(id, note(.ended, "nothing could be changed", news: .failoverEnded)) { failover in
            failover.stage = .conflicted
            failover.endedAt = Date()
        }
        underWay[id] = nil
    }

    /// A zone has come to its end, and with it the services whose last one it was: they are where it brought them, and free for the next
    /// decision, whatever becomes of others.
    private func end(
        _ id: FailoverID, _ index: Int, as state: Failover.Move.State, _ step: FailoverStep = FailoverStep(),
        _ change: (inout Failover.ZoneWork) -> Void = { _ in }
    ) async throws {
        guard var failover = underWay[id] else { return }
        failover.zones[index].state = state
        failover.zones[index].isInDoubt = false
        change(&failover.zones[index])
        let services = surroundings.store.state.services
        var step = step
        for move in failover.settleMoves(with: index) {
            step.released.append(move.service)
            guard failover.hasChanged(move), let service = services[move.service] else { continue }
            failover.traffic.append(Failover.Traffic(service: move.service))
            if move.state == .written { conflicts[move.service] = nil }
            let isHome = service.primary == move.to
            // Half-way home is away still: the rest is asked for again from there.
            if isHome, move.state != .written { continue }
            step.placed[move.service] = .some(isHome ? nil : Placement(server: move.to, failover: id))
        }
        if !failover.zones.contains(where: { $0.state == .pending }) { failover.stage = .verifying }
        let ended = failover
        try await update(id, step) { $0 = ended }
        for (service, placement) in step.placed { placements[service] = placement }
        for service in step.released where decisions[service] == id { decisions[service] = nil }
        follow(trafficOf: ended)
        placementsChanged()
    }

    /// Whether what led to the decision has passed before anything was done about it.
    private func isObsolete(_ failover: Failover) -> Bool {
        failover.kind == .automatic && !failover.zones.contains { $0.state == .written || $0.isInDoubt }
            && machine.servers[failover.server]?.phase == .up
    }

    /// Brings one zone to the end: written, or not to be.
    private func writeZone(_ id: FailoverID, _ index: Int) async throws {
        let began = Date()
        var failures = 0
        while let failover = underWay[id], failover.zones[index].state == .pending {
            if failures > 0, isObsolete(failover) { return }
            let name = failover.zones[index].zone
            do {
                guard let zone = surroundings.store.state.zones[name] else {
                    throw DNSFailure(kind: .refused, reason: "zone \(name) is not configured any more")
                }
                try await attempt(id, index, zone)
            } catch let failure as DNSFailure {
                failures += 1
                let isOver = Date().timeIntervalSince(began) > FailoverService.patience
                let words = "zone \(name): \(failure.reason); \(isOver ? "given up" : "trying on")"
                let step = failures == 1 || isOver ? note(.note, words, news: .failoverHeld) : FailoverStep()
                if isOver {
                    try await end(id, index, as: .failed, step) { $0.detail = failure.reason }
                } else {
                    try await update(id, step) { $0.zones[index].detail = failure.reason }
                }
                let backoff = FailoverService.backoffs[min(failures, FailoverService.backoffs.count) - 1]
                try await Task.sleep(for: backoff)
            }
        }
    }

    /// Asks for the change once. What may have been asked already is looked for first: a write is never repeated blindly.
    private func attempt(_ id: FailoverID, _ index: Int, _ zone: Zone) async throws {
        guard let work = underWay[id]?.zones[index] else { return }
        var present: [DomainName: [RecordSet]] = [:]
        if work.isInDoubt {
            let names = work.records.filter { !$0.isConflict }.map(\.change.name)
            present = try await calling(zone) { try await $0.present(names) }
            if try await settle(id, index, present, how: "found as it was to be") { return }
        }
        // What is there already is not asked for again, as it is not what it was.
        let changes = (underWay[id]?.zones[index].records ?? []).filter { record in
            !record.isConflict && !(present[record.change.name]?.agrees(with: record.change.wanted) ?? false)
        }.map(\.change)
        let number = work.attempts + 1
        let names = "\(changes.count) name\(changes.count == 1 ? "" : "s")"
        try await update(id, number == 1 ? note(.write, "zone \(work.zone): \(names)") : FailoverStep()) {
            $0.zones[index].attempts = number
            $0.zones[index].isInDoubt = true
        }
        let outcome: ZoneOutcome
        do {
            outcome = try await calling(zone) { try await $0.apply(changes) }
        } catch let failure as DNSFailure {
            if !failure.mayHaveHappened { try await update(id) { $0.zones[index].isInDoubt = false } }
            throw failure
        }
        switch outcome {
        case .done: try await written(id, index, how: "written")
        case .conflict(let present):
            if try await settle(id, index, present, how: "written before") { return }
            // Some are as they are to be, some as they were. The zone stays in doubt, so that the next attempt asks for the rest.
            throw DNSFailure(
                kind: .unavailable, reason: "some of its names are not as expected; they are looked at again")
        }
    }

    /// Calls of one server at a time: BIND lets ten connections wait, and who is the eleventh waits for a second.
    private static let mostCallsOfOne = 8

    /// Calls whoever changes a zone, when it is its turn.
    func calling<Answer: Sendable>(
        _ zone: Zone, _ call: @Sendable (any DNSProvider) async throws -> Answer
    ) async throws -> Answer {
        let place = zone.provider.place
        let turnstile = callsByPlace[place] ?? Turnstile(places: FailoverService.mostCallsOfOne)
        callsByPlace[place] = turnstile
        let (all, provider) = (calls, surroundings.provider(zone))
        return try await turnstile.pass { try await all.pass { try await call(provider) } }
    }

    /// Compares what is there with what is to be. True when the zone is settled by that.
    private func settle(
        _ id: FailoverID, _ index: Int, _ present: [DomainName: [RecordSet]], how: String
    ) async throws -> Bool {
        guard let failover = underWay[id] else { return true }
        var works = failover.zones[index]
        var isDone = true
        var foreign: [String] = []
        for place in works.records.indices where !works.records[place].isConflict {
            let change = works.records[place].change
            guard let there = present[change.name] else {
                isDone = false
                continue
            }
            if there.agrees(with: change.wanted) { continue }
            isDone = false
            if there.agrees(with: change.expected) { continue }
            works.records[place].isConflict = true
            let found = there.isEmpty ? "nothing" : there.map(\.text).joined(separator: ", ")
            let sentence =
                "\(change.name) is \(found), which is not what was expected (\(change.expected.map(\.text).joined(separator: ", "))); it is left as it is"
            foreign.append(sentence)
            conflicts[works.records[place].service] = sentence
        }
        if !foreign.isEmpty {
            let records = works.records
            let step = FailoverStep(
                entries: foreign.map { TimelineEntry(at: Date(), kind: .conflict, detail: $0) },
                news: FailoverNews(kind: .failoverConflict, detail: foreign.prefix(5).joined(separator: "; ")))
            try await update(id, step) { failover in
                failover.zones[index].records = records
                failover.zones[index].detail = foreign.first ?? ""
            }
        }
        let isEmpty = works.records.allSatisfy(\.isConflict)
        if isEmpty {
            try await end(id, index, as: .conflict)
        } else if isDone {
            try await written(id, index, how: how)
        }
        return isEmpty || isDone
    }

    private func written(_ id: FailoverID, _ index: Int, how: String) async throws {
        guard let failover = underWay[id] else { return }
        let zone = failover.zones[index].zone
        let names = failover.zones[index].records.filter { !$0.isConflict }.map {
            "\($0.change.name) \($0.change.wanted.map(\.text).joined(separator: ", "))"
        }
        let detail = "zone \(zone): \(how): \(names.prefix(20).joined(separator: "; "))"
        try await end(id, index, as: .written, note(.written, detail, news: .failoverWritten)) { zone in
            zone.writtenAt = Date()
            zone.detail = ""
        }
    }
}
