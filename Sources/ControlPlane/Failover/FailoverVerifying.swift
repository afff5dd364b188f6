import Channel
import DNS
import Domain
import Fleet
import FoundationEssentials
import Notices
import Store

/// The second half of a failover: proving that the change is answered, and that traffic follows it.
extension FailoverService {
    /// For how long authoritative servers are asked, in seconds.
    private static let verificationPatience = 300.0
    /// For how long traffic is followed at most, in seconds.
    private static let followingPatience = 1800.0

    /// Asks every authoritative server until all give the new answer, or patience ends.
    func verifyZone(_ id: FailoverID, _ index: Int) async throws {
        let began = Date()
        guard let work = underWay[id]?.zones[index], work.state == .written, work.verifiedAt == nil,
            let zone = surroundings.store.state.zones[work.zone]
        else { return }
        var servers: [AuthoritativeServer] = []
        var pending: [Int: [RecordChange]] = [:]
        while Date().timeIntervalSince(began) < FailoverService.verificationPatience {
            do {
                if servers.isEmpty {
                    servers = try await surroundings.authorities(zone)
                    let names = servers.map(\.description)
                    try await update(id) { $0.zones[index].authorities = names.map { Failover.Agreement(server: $0) } }
                    let changes = work.records.filter { !$0.isConflict }.map(\.change)
                    for place in servers.indices { pending[place] = changes }
                }
                let ask = surroundings.ask
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
                    let all =
                        servers.count == 1
                        ? "the authoritative server answers" : "all \(servers.count) authoritative servers answer"
                    let words = "zone \(work.zone): \(all) the change"
                    return try await update(id, note(.verified, words, news: .failoverVerified)) {
                        $0.zones[index].verifiedAt = Date()
                    }
                }
            } catch let failure as DNSFailure {
                underWay[id]?.zones[index].detail = failure.reason
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        let sentence = "zone \(work.zone): not all authoritative servers answer the change; they are not asked any more"
        try await update(id, note(.note, sentence, news: .failoverHeld))
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
            // What is to be gone has to be: addresses of a family that the standby does not have.
            let gone = change.expected.map(\.type).filter { type in !change.wanted.contains { $0.type == type } }
            for type in gone where left.last != change {
                let answer = await ask(server, change.name, type)
                if case .records(let sets) = answer, !sets.contains(where: { $0.type == type }) { continue }
                left.append(change)
                detail = "\(change.name): \(answer)"
            }
            // A server that is behind is behind for all of them, most often: asking on would only take time.
            if left.count >= 3 { break }
        }
        if left.count >= 3 { left = changes }
        return (place, left, detail)
    }

    // MARK: Following

    /// Where the new connections of a service are counted.
    struct Followed: Sendable {
        let failover: FailoverID
        let place: Int
        let from: ServerName
        let to: ServerName
    }

    func follow(trafficOf failover: Failover) {
        let moves = Dictionary(failover.moves.map { ($0.service, $0) }) { first, _ in first }
        for (place, traffic) in failover.traffic.enumerated() {
            guard let move = moves[traffic.service] else { continue }
            followed[traffic.service] = Followed(failover: failover.id, place: place, from: move.from, to: move.to)
        }
    }

    /// Where new connections of the services that are being moved have arrived.
    func take(_ traffic: ServiceTraffic) {
        guard let followed = followed[traffic.service], var failover = underWay[followed.failover] else { return }
        if followed.to == traffic.server {
            failover.traffic[followed.place].toTarget &+= traffic.opened
        } else if followed.from == traffic.server {
            failover.traffic[followed.place].toOrigin &+= traffic.opened
            failover.traffic[followed.place].lastToOrigin = Date()
        }
        underWay[followed.failover] = failover
    }

    /// Follows the traffic until none has arrived at the old server for as long as resolvers may keep its record, and some more.
    func follow(_ id: FailoverID) async throws {
        let began = Date()
        let timesToLive =
            underWay[id]?.zones.flatMap { $0.records.flatMap { $0.change.expected.map(\.timeToLive) } } ?? []
        let quiet = Double(min(600, max(10, 2 * (timesToLive.max() ?? 0))))
        while let failover = underWay[id] {
            let elapsed = Date().timeIntervalSince(began)
            let last = failover.traffic.compactMap(\.lastToOrigin).max() ?? began
            let isQuiet = elapsed >= quiet && Date().timeIntervalSince(last) >= quiet
            if isQuiet { break }
            if elapsed > FailoverService.followingPatience {
                try await update(
                    id, note(.note, "connections still arrive at the old server; they are not followed any more"))
                break
            }
            try await Task.sleep(for: .seconds(1))
            if Int(elapsed) % 5 == 4 { try await update(id) }
        }
        guard let failover = underWay[id] else { return }
        let told = failover.traffic.map {
            "\($0.service): \($0.toTarget) new connections at the new server, \($0.toOrigin) at the old one"
        }.listed
        try await update(id, note(.ended, told, news: .failoverEnded)) { failover in
            failover.stage = .done
            failover.endedAt = Date()
        }
        inForce[id] = underWay[id]
        underWay[id] = nil
        followed = followed.filter { $0.value.failover != id }
        placementsChanged()
    }
}
