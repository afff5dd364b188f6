import Domain
import FoundationEssentials
import Logging

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
    /// For how long traffic is followed at most, in seconds.
    private static let followingPatience = 1800.0

    func carryOut(_ id: FailoverID) async {
        // An order that came before the first task ran is found under way, too.
        guard carrying.insert(id).inserted else { return }
        defer { carrying.remove(id) }
        do {
            while let failover = underWay[id] {
                switch failover.stage {
                case .decided: try await advance(id, to: .writing)
                case .writing: try await write(id)
                case .verifying: try await verify(id)
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

    // MARK: Storing

    /// Changes a failover, and stores that; tries until it is stored, since nothing may be done that is not.
    func update(
        _ id: FailoverID, _ step: FailoverStep = FailoverStep(), _ change: (inout Failover) -> Void = { _ in }
    ) async throws {
        guard var failover = underWay[id] else { throw CancellationError() }
        change(&failover)
        underWay[id] = failover
        var isTold = false
        while true {
            do {
                // What other tasks of the same failover have changed meanwhile is stored as well.
                guard let newest = underWay[id] else { throw CancellationError() }
                let store = around.store
                // A task of its own: cancelled in the midst of a transaction, as at a shutdown, it would break that off.
                try await Task { try await store.save(newest, step) }.value
                return
            } catch let failure as StoreFailure {
                if !isTold {
                    logger.error(
                        "A failover waits for the store",
                        metadata: ["failover": "\(id)", "cause": "\(failure)"])
                }
                isTold = true
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func advance(_ id: FailoverID, to stage: Failover.Stage) async throws {
        try await update(id) { $0.stage = stage }
    }

    private func note(_ kind: TimelineEntry.Kind, _ detail: String) -> FailoverStep {
        FailoverStep(entries: [TimelineEntry(at: Date(), kind: kind, detail: detail)])
    }

    /// Ends a failover of which nothing has been done, and of which nothing will be.
    func abandon(_ id: FailoverID, because reason: String) async {
        guard let failover = underWay[id] else { return }
        var step = note(.abandoned, reason)
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
        await tell(.failoverAbandoned, failover.server, "failover \(id): \(reason)")
    }

    // MARK: Writing

    private func write(_ id: FailoverID) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for index in (underWay[id]?.zones ?? []).indices {
                group.addTask { try await self.writeZone(id, index) }
            }
        }
        guard var failover = underWay[id] else { return }
        if isObsolete(failover) {
            return await abandon(id, because: "\(failover.server) answers again, and nothing has been changed yet")
        }
        failover.settleMoves()
        let services = around.store.state.services
        var step = FailoverStep()
        for move in failover.moves {
            step.released.append(move.service)
            guard move.state == .written else { continue }
            let isHome = services[move.service]?.primary == move.to
            step.placed[move.service] = .some(isHome ? nil : Placement(server: move.to, failover: id))
        }
        let isWritten = failover.moves.contains { $0.state == .written }
        if !isWritten {
            step.entries.append(TimelineEntry(at: Date(), kind: .ended, detail: "nothing could be changed"))
        }
        let moves = failover.moves
        try await update(id, step) { failover in
            failover.moves = moves
            failover.stage = isWritten ? .verifying : .conflicted
            failover.traffic = moves.filter { $0.state == .written }.map { Failover.Traffic(service: $0.service) }
            if !isWritten { failover.endedAt = Date() }
        }
        for (service, placement) in step.placed { placements[service] = placement }
        for service in step.released where decisions[service] == id { decisions[service] = nil }
        placementsChanged()
        if !isWritten {
            underWay[id] = nil
            await tell(.failoverEnded, failover.server, "failover \(id) has changed nothing")
        }
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
                guard let zone = around.store.state.zones[name] else {
                    throw DNSFailure(kind: .refused, reason: "zone \(name) is not configured any more")
                }
                try await attempt(id, index, around.provider(zone))
            } catch let failure as DNSFailure {
                failures += 1
                let isOver = Date().timeIntervalSince(began) > FailoverService.patience
                let step = failures == 1 || isOver ? note(.note, "zone \(name): \(failure.reason)") : FailoverStep()
                try await update(id, step) { failover in
                    failover.zones[index].detail = failure.reason
                    if isOver { failover.zones[index].state = .failed }
                }
                if failures == 1 || isOver {
                    await tell(
                        .failoverHeld, failover.server,
                        "failover \(id): zone \(name): \(failure.reason)\(isOver ? "; given up" : "; trying on")")
                }
                let backoff = FailoverService.backoffs[min(failures, FailoverService.backoffs.count) - 1]
                try await Task.sleep(for: backoff)
            }
        }
    }

    /// Asks for the change once. What may have been asked already is looked for first: a write is never repeated blindly.
    private func attempt(_ id: FailoverID, _ index: Int, _ provider: any DNSProvider) async throws {
        guard let work = underWay[id]?.zones[index] else { return }
        let open = work.records.filter { !$0.isConflict }.map(\.change)
        if work.isInDoubt {
            let present = try await provider.present(open.map(\.name))
            if try await settle(id, index, present, how: "found as it was to be") { return }
        }
        let changes = (underWay[id]?.zones[index].records ?? []).filter { !$0.isConflict }.map(\.change)
        guard !changes.isEmpty else {
            return try await update(id) { $0.zones[index].state = .conflict }
        }
        let number = work.attempts + 1
        try await update(
            id,
            number == 1
                ? note(.write, "zone \(work.zone): \(changes.count) name\(changes.count == 1 ? "" : "s")")
                : FailoverStep()
        ) {
            $0.zones[index].attempts = number
            $0.zones[index].isInDoubt = true
        }
        let outcome: ZoneOutcome
        do {
            outcome = try await provider.apply(changes)
        } catch let failure as DNSFailure {
            if !failure.mayHaveHappened { try await update(id) { $0.zones[index].isInDoubt = false } }
            throw failure
        }
        switch outcome {
        case .done: try await written(id, index, how: "written")
        case .conflict(let present):
            if try await settle(id, index, present, how: "written before") { return }
            // What was there at first is expected again: nothing was done.
            try await update(id) { $0.zones[index].isInDoubt = false }
        }
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
            let step = FailoverStep(entries: foreign.map { TimelineEntry(at: Date(), kind: .conflict, detail: $0) })
            try await update(id, step) { failover in
                failover.zones[index].records = records
                failover.zones[index].isInDoubt = false
                failover.zones[index].detail = foreign.first ?? ""
            }
            await tell(
                .failoverConflict, failover.server, "failover \(id): \(foreign.prefix(5).joined(separator: "; "))")
        }
        let isEmpty = works.records.allSatisfy(\.isConflict)
        if isEmpty {
            try await update(id) { $0.zones[index].state = .conflict }
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
        try await update(id, note(.written, detail)) { failover in
            failover.zones[index].state = .written
            failover.zones[index].isInDoubt = false
            failover.zones[index].writtenAt = Date()
            failover.zones[index].detail = ""
        }
        await tell(.failoverWritten, failover.server, "failover \(id): \(detail)")
    }

    // MARK: Verifying

    private func verify(_ id: FailoverID) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for (index, work) in (underWay[id]?.zones ?? []).enumerated() where work.state == .written {
                group.addTask { try await self.verifyZone(id, index) }
            }
        }
        try await advance(id, to: .following)
    }

    /// Asks every authoritative server until all give the new answer, or patience ends.
    private func verifyZone(_ id: FailoverID, _ index: Int) async throws {
        let began = Date()
        guard let work = underWay[id]?.zones[index], let zone = around.store.state.zones[work.zone] else { return }
        var servers: [AuthoritativeServer] = []
        var pending: [Int: [RecordChange]] = [:]
        while Date().timeIntervalSince(began) < FailoverService.verificationPatience {
            do {
                if servers.isEmpty {
                    servers = try await around.authorities(zone)
                    let names = servers.map(\.description)
                    try await update(id) { $0.zones[index].authorities = names.map { Failover.Agreement(server: $0) } }
                    let changes = work.records.filter { !$0.isConflict }.map(\.change)
                    for place in servers.indices { pending[place] = changes }
                }
                let ask = around.ask
                let asked = await withTaskGroup(of: (Int, [RecordChange], String).self) { group in
                    for (place, changes) in pending where !changes.isEmpty {
                        let server = servers[place]
                        group.addTask { await FailoverService.disagreeing(server, changes, place, ask) }
                    }
                    var answers: [(Int, [RecordChange], String)] = []
                    for await answer in group { answers.append(answer) }
                    return answers
                }
                for (place, left, detail) in asked {
                    pending[place] = left
                    guard left.isEmpty else {
                        underWay[id]?.zones[index].authorities[place].detail = detail
                        continue
                    }
                    let step = note(.verified, "zone \(work.zone): \(servers[place]) answers the change")
                    try await update(id, step) { failover in
                        failover.zones[index].authorities[place].agreesAt = Date()
                        failover.zones[index].authorities[place].detail = ""
                    }
                }
                if pending.values.allSatisfy(\.isEmpty) {
                    try await update(
                        id, note(.verified, "zone \(work.zone): every authoritative server answers the change")
                    ) {
                        $0.zones[index].verifiedAt = Date()
                    }
                    return await tell(
                        .failoverVerified, underWay[id]?.server,
                        "failover \(id): zone \(work.zone): all \(servers.count) authoritative servers answer the change"
                    )
                }
            } catch let failure as DNSFailure {
                underWay[id]?.zones[index].detail = failure.reason
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        try await update(id, note(.note, "zone \(work.zone): not all authoritative servers answer the change yet"))
    }

    /// The changes that an authoritative server does not answer yet, and what it says instead.
    private static func disagreeing(
        _ server: AuthoritativeServer, _ changes: [RecordChange], _ place: Int,
        _ ask: @Sendable (AuthoritativeServer, DomainName, RecordType) async -> AuthorityAnswer
    ) async -> (Int, [RecordChange], String) {
        var left: [RecordChange] = []
        var detail = ""
        for change in changes {
            for wanted in change.wanted {
                let answer = await ask(server, change.name, wanted.type)
                if case .records(let sets) = answer, sets.contains(where: { $0.agrees(with: wanted) }) { continue }
                left.append(change)
                detail = "\(change.name): \(answer)"
                break
            }
            // A server that is behind is behind for all of them, most often: asking on would only take time.
            if left.count >= 3 { break }
        }
        if left.count >= 3 { left = changes }
        return (place, left, detail)
    }

    // MARK: Following

    /// Where new connections of the services that are being moved have arrived.
    func take(_ traffic: ServiceTraffic) {
        for (id, failover) in underWay {
            guard let place = failover.traffic.firstIndex(where: { $0.service == traffic.service }),
                let move = failover.moves.first(where: { $0.service == traffic.service })
            else { continue }
            if move.to == traffic.server {
                underWay[id]?.traffic[place].toTarget &+= traffic.opened
            } else if move.from == traffic.server {
                underWay[id]?.traffic[place].toOrigin &+= traffic.opened
                underWay[id]?.traffic[place].lastToOrigin = Date()
            }
        }
    }

    /// Follows the traffic until none has arrived at the old server for as long as resolvers may keep its record, and some more.
    private func follow(_ id: FailoverID) async throws {
        let began = Date()
        let timesToLive =
            underWay[id]?.zones.flatMap { $0.records.flatMap { $0.change.expected.map(\.timeToLive) } } ?? []
        let quiet = Double(min(60, max(10, 2 * (timesToLive.max() ?? 0))))
        while let failover = underWay[id] {
            let elapsed = Date().timeIntervalSince(began)
            let last = failover.traffic.compactMap(\.lastToOrigin).max() ?? began
            let isQuiet = elapsed >= quiet && Date().timeIntervalSince(last) >= quiet
            if isQuiet || elapsed > FailoverService.followingPatience { break }
            try await Task.sleep(for: .seconds(1))
            if Int(elapsed) % 5 == 4 { try await update(id) }
        }
        guard let failover = underWay[id] else { return }
        let told = failover.traffic.map {
            "\($0.service): \($0.toTarget) new connections at the new server, \($0.toOrigin) at the old one"
        }.joined(separator: "; ")
        try await update(id, note(.ended, told)) { failover in
            failover.stage = .done
            failover.endedAt = Date()
        }
        if placements.values.contains(where: { $0.failover == id }) { inForce[id] = underWay[id] }
        underWay[id] = nil
        inForce = inForce.filter { id, _ in placements.values.contains { $0.failover == id } }
        await tell(.failoverEnded, failover.server, "failover \(id): \(told)")
    }
}

extension [RecordSet] {
    /// Whether both say the same, whatever the TTLs.
    func agrees(with others: [RecordSet]) -> Bool {
        count == others.count && allSatisfy { set in others.contains { $0.agrees(with: set) } }
    }
}
