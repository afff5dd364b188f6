import Channel
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
    /// For how long authoritative servers are asked, in seconds.
    private static let verificationPatience = 300.0

    func carryOut(_ id: FailoverID) async {
        // An order that came before the first task ran is found under way, too.
        guard carrying.insert(id).inserted else { return }
        defer { carrying.remove(id) }
        do {
            while let failover = placements.underWay[id] {
                switch failover.stage {
                case .decided: try await advance(id, to: .writing)
                case .writing, .verifying: try await changeZones(id)
                case .following: try await followTraffic(id)
                case .done, .abandoned, .conflicted: return
                }
            }
        } catch is CancellationError {
            // The next start goes on from the step that was stored last.
        } catch {
            logger.critical("A failover cannot go on", metadata: ["failover": "\(id)", "cause": "\(error)"])
        }
    }

    // MARK: Storing

    /// Changes a failover and stores the change. Tries until it is stored, since nothing may be done before.
    func update(
        _ id: FailoverID, _ step: FailoverStep = FailoverStep(), _ change: (inout Failover) -> Void = { _ in }
    ) async throws {
        placements.change(id, change)
        var isTold = false
        // Changes that other tasks of the same failover have made meanwhile are stored as well.
        while let newest = placements.underWay[id] {
            do {
                try await journalWriter.store(step, of: newest).value
                if let news = step.news { announcer.announce(news, of: newest) }
                return
            } catch let failure as StoreFailure {
                if !isTold {
                    logger.error(
                        "A failover waits for the store", metadata: ["failover": "\(id)", "cause": "\(failure)"])
                }
                isTold = true
                try await Task.sleep(for: .seconds(1))
            }
        }
        throw CancellationError()
    }

    private func advance(_ id: FailoverID, to stage: Failover.Stage) async throws {
        try await update(id) { $0.stage = stage }
    }

    /// Ends a failover that has changed nothing, and gives its services free.
    func abandon(_ id: FailoverID, because reason: String) async {
        guard let failover = placements.underWay[id] else { return }
        var step = FailoverStep.noting(.abandoned, reason, news: .failoverAbandoned)
        step.released = failover.moves.map(\.service)
        do {
            try await update(id, step) { failover in
                failover.stage = .abandoned
                failover.endedAt = Date()
            }
        } catch {
            return
        }
        placements.drop(id, releasing: step.released)
    }

    // MARK: Writing

    /// Brings every zone to its end and verifies it, each at its own pace: a zone that hangs holds up no other.
    private func changeZones(_ id: FailoverID) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for index in (placements.underWay[id]?.zones ?? []).indices {
                group.addTask {
                    try await self.writeZone(id, index)
                    try await self.verifyZone(id, index)
                }
            }
        }
        guard let failover = placements.underWay[id] else { return }
        guard !failover.zones.contains(where: { $0.state == .pending }) else {
            // The reason for the decision had passed for a moment. When it is back by now, the zones are tried again.
            guard isObsolete(failover) else { return }
            return await abandon(id, because: "\(failover.server) answers again, and nothing has been changed yet")
        }
        guard !failover.moves.contains(where: failover.hasChanged) else { return try await advance(id, to: .following) }
        try await update(id, .noting(.ended, "nothing could be changed", news: .failoverEnded)) { failover in
            failover.stage = .conflicted
            failover.endedAt = Date()
        }
        placements.drop(id)
    }

    /// Whether the server answers again before anything was changed.
    private func isObsolete(_ failover: Failover) -> Bool {
        failover.kind == .automatic && !failover.zones.contains { $0.state == .written || $0.isInDoubt }
            && machine.servers[failover.server]?.phase == .up
    }

    /// Brings one zone to its end: written, or not to be.
    private func writeZone(_ id: FailoverID, _ index: Int) async throws {
        let began = Date()
        var failures = 0
        while let failover = placements.underWay[id], failover.zones[index].state == .pending {
            if failures > 0, isObsolete(failover) { return }
            let zoneWork = failover.zones[index]
            do {
                guard let zone = surroundings.store.state.zones[zoneWork.zone] else {
                    throw DNSFailure(kind: .refused, reason: "zone \(zoneWork.zone) is not configured any more")
                }
                try await zoneWriter.attempt(zoneWork, in: zone) { try await self.store($0, id, index) }
            } catch let failure as DNSFailure {
                failures += 1
                let isOver = Date().timeIntervalSince(began) > FailoverService.patience
                let words = "zone \(zoneWork.zone): \(failure.reason); \(isOver ? "given up" : "trying on")"
                let step =
                    failures == 1 || isOver
                    ? FailoverStep.noting(.note, words, news: .failoverHeld) : FailoverStep()
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

    /// Stores a fact that the writer reports of a zone.
    private func store(_ fact: ZoneWriter.Fact, _ id: FailoverID, _ index: Int) async throws {
        guard let zone = placements.underWay[id]?.zones[index].zone else { throw CancellationError() }
        switch fact {
        case .asking(let attempt, let changes):
            let words = "zone \(zone): \(changes) name\(changes == 1 ? "" : "s")"
            try await update(id, attempt == 1 ? .noting(.write, words) : FailoverStep()) {
                $0.zones[index].attempts = attempt
                $0.zones[index].isInDoubt = true
            }
        case .notMade: try await update(id) { $0.zones[index].isInDoubt = false }
        case .foreign(let records, let foreign):
            for record in foreign { placements.enter(conflict: record.finding, of: record.service) }
            let findings = foreign.map(\.finding)
            let step = FailoverStep(
                entries: findings.map { TimelineEntry(at: Date(), kind: .conflict, detail: $0) },
                news: FailoverNews(kind: .failoverConflict, detail: findings.prefix(5).joined(separator: "; ")))
            try await update(id, step) { failover in
                failover.zones[index].records = records
                failover.zones[index].detail = findings.first ?? ""
            }
        case .conflicted: try await end(id, index, as: .conflict)
        case .written(let how):
            let changes = placements.underWay[id]?.zones[index].openChanges ?? []
            let names = changes.map { "\($0.name) \($0.wanted.map(\.text).joined(separator: ", "))" }
            let words = "zone \(zone): \(how): \(names.prefix(20).joined(separator: "; "))"
            try await end(id, index, as: .written, .noting(.written, words, news: .failoverWritten)) { zone in
                zone.writtenAt = Date()
                zone.detail = ""
            }
        }
    }

    /// Ends a zone, and the move of each service whose last zone it was. These services are where it brought them, and
    /// free for the next decision, while others are still on their way.
    private func end(
        _ id: FailoverID, _ index: Int, as state: Failover.Move.State, _ step: FailoverStep = FailoverStep(),
        _ change: (inout Failover.ZoneWork) -> Void = { _ in }
    ) async throws {
        guard var ended = placements.underWay[id] else { return }
        change(&ended.zones[index])
        let settled = ended.endZone(index, as: state, in: surroundings.store.state.services)
        for move in settled.moves where move.state == .written { placements.forgetConflict(of: move.service) }
        var step = step
        step.placed = settled.placed
        step.released = settled.moves.map(\.service)
        try await update(id, step) { $0 = ended }
        placements.settle(step, of: id)
        follower.follow(ended)
    }

    // MARK: Verifying

    /// Asks every authoritative server until all give the new answer, or patience ends.
    private func verifyZone(_ id: FailoverID, _ index: Int) async throws {
        let began = Date()
        guard let zoneWork = placements.underWay[id]?.zones[index], zoneWork.state == .written,
            zoneWork.verifiedAt == nil,
            let zone = surroundings.store.state.zones[zoneWork.zone]
        else { return }
        var started: ZoneVerification?
        while Date().timeIntervalSince(began) < FailoverService.verificationPatience {
            do {
                var verification: ZoneVerification
                if let started {
                    verification = started
                } else {
                    verification = try await verify(zoneWork, zone, id, index)
                }
                for answer in await verification.askPending() { try await store(answer, of: verification, id, index) }
                started = verification
                if verification.isComplete {
                    let count = verification.servers.count
                    let all =
                        count == 1 ? "the authoritative server answers" : "all \(count) authoritative servers answer"
                    let words = "zone \(zoneWork.zone): \(all) the change"
                    return try await update(id, .noting(.verified, words, news: .failoverVerified)) {
                        $0.zones[index].verifiedAt = Date()
                    }
                }
            } catch let failure as DNSFailure {
                placements.change(id) { $0.zones[index].detail = failure.reason }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        let words =
            "zone \(zoneWork.zone): not all authoritative servers answer the change; they are not asked any more"
        try await update(id, .noting(.note, words, news: .failoverHeld))
    }

    /// Begins to verify a zone: finds its authoritative servers, none of which has answered yet.
    private func verify(
        _ zoneWork: Failover.ZoneWork, _ zone: Zone, _ id: FailoverID, _ index: Int
    ) async throws -> ZoneVerification {
        let servers = try await surroundings.authorities(zone)
        try await update(id) { failover in
            failover.zones[index].authorities = servers.map { Failover.Agreement(server: $0.description) }
        }
        return ZoneVerification(of: zoneWork.openChanges, at: servers, asking: surroundings.ask)
    }

    private func store(
        _ answer: ZoneVerification.Answer, of verification: ZoneVerification, _ id: FailoverID, _ index: Int
    ) async throws {
        let place = answer.place
        guard answer.agrees else {
            placements.change(id) { $0.zones[index].authorities[place].detail = answer.detail }
            return
        }
        let zone = placements.underWay[id]?.zones[index].zone.text ?? ""
        let words = "zone \(zone): \(verification.servers[place]) answers the change"
        try await update(id, .noting(.verified, words)) { failover in
            failover.zones[index].authorities[place].agreesAt = Date()
            failover.zones[index].authorities[place].detail = ""
        }
    }

    // MARK: Following

    /// Counts where new connections of the services that are being moved have arrived.
    func count(_ report: ServiceTraffic) {
        guard let arrival = follower.arrival(report) else { return }
        placements.change(arrival.failover) { $0.count(arrival, at: Date()) }
    }

    /// Follows the traffic until it has left the old server.
    private func followTraffic(_ id: FailoverID) async throws {
        guard let failover = placements.underWay[id] else { return }
        let following = TrafficFollowing(failover, at: Date())
        loop: while let failover = placements.underWay[id] {
            let now = Date()
            switch following.verdict(on: failover, at: now) {
            case .goesOn: break
            case .isQuiet: break loop
            case .hasLastedTooLong:
                let words = "connections still arrive at the old server; they are not followed any more"
                try await update(id, .noting(.note, words))
                break loop
            }
            try await Task.sleep(for: .seconds(1))
            // New connections are counted in memory, and stored every fifth second.
            let isStoringTime = Int(now.timeIntervalSince(following.began)) % 5 == 4
            if isStoringTime { try await update(id) }
        }
        guard let failover = placements.underWay[id] else { return }
        let told = failover.traffic.map {
            "\($0.service): \($0.toTarget) new connections at the new server, \($0.toOrigin) at the old one"
        }.listed
        try await update(id, .noting(.ended, told, news: .failoverEnded)) { failover in
            failover.stage = .done
            failover.endedAt = Date()
        }
        placements.finish(id)
        follower.forget(id)
    }
}
