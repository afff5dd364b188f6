import Channel
import DNS
package import Domain
import Fleet
package import FoundationEssentials
import Notices
import Store

/// What is known of the standbys' readiness, proven again and again rather than at the moment of need.
package struct StandbyReadiness: Sendable {
    package struct Pair: Hashable, Sendable {
        package let service: ServiceName
        package let server: ServerName
    }

    package struct Proof: Sendable, Equatable {
        /// Why it must not take over; empty when it may.
        package var obstacles: [String] = []
        /// What is wrong, and would not keep it from taking over.
        package var warnings: [String] = []
        package let checkedAt: Date

        package var isReady: Bool { obstacles.isEmpty && warnings.isEmpty }
        package var words: String { (obstacles + warnings).joined(separator: "; ") }
    }

    package private(set) var standbys: [Pair: Proof] = [:]
    /// Of zones there are warnings only: what is wrong with one may be right again when it is needed.
    package private(set) var zones: [DomainName: Proof] = [:]

    /// Takes a proof in. Answers whether the answer is another than before; the first one counts when it is bad.
    mutating func take(_ proof: Proof, of pair: Pair) -> Bool {
        let before = standbys.updateValue(proof, forKey: pair)
        return before.map { $0.isReady != proof.isReady } ?? !proof.isReady
    }

    mutating func take(_ proof: Proof, of zone: DomainName) -> Bool {
        let before = zones.updateValue(proof, forKey: zone)
        return before.map { $0.isReady != proof.isReady } ?? !proof.isReady
    }

    mutating func keep(standbys pairs: Set<Pair>) { standbys = standbys.filter { pairs.contains($0.key) } }

    mutating func keep(zones names: Set<DomainName>) { zones = zones.filter { names.contains($0.key) } }

    func warnings(of service: ServiceName, on server: ServerName) -> [String] {
        standbys[Pair(service: service, server: server)]?.warnings ?? []
    }
}

extension FailoverService {
    /// Between two proofs of the same thing.
    private static let proofInterval = Duration.seconds(30)
    /// Endpoint checks under way at a time; a data plane does not read more commands than it can carry out.
    private static let checksAtOnce = 4
    /// Names of a zone that are asked about in one rehearsal.
    private static let namesRehearsed = 50

    /// Proves the readiness of every standby and every zone, round after round.
    func proveReadiness() async {
        // Servers connect first, and vantages report.
        try? await Task.sleep(for: .seconds(3))
        while !Task.isCancelled {
            isReadinessDue = false
            await rehearseZones()
            await checkStandbys()
            let next = clock.now + FailoverService.proofInterval
            while !Task.isCancelled, !isReadinessDue, clock.now < next { try? await Task.sleep(for: .seconds(1)) }
        }
    }

    /// Asks each zone's provider whether it would make a change that changes nothing: the record, the credential and the way there.
    func rehearseZones() async {
        let state = surroundings.store.state
        var changes: [DomainName: [RecordChange]] = [:]
        for (server, services) in active(state) {
            guard let server = state.servers[server] else { continue }
            for service in services where decisions[service.name] == nil {
                for binding in service.bindings {
                    let records = binding.records(of: server)
                    changes[binding.zone, default: []].append(
                        RecordChange(name: binding.name, expected: records, wanted: records))
                }
            }
        }
        readiness.keep(zones: Set(changes.keys))
        for (name, all) in changes.sorted(by: { $0.key < $1.key }) {
            guard let zone = state.zones[name] else { continue }
            // Another part of a great zone each time.
            let some = Array(all.shuffled().prefix(FailoverService.namesRehearsed))
            var proof = StandbyReadiness.Proof(checkedAt: Date())
            let revision = placementRevision
            do {
                if case .conflict(let present) = try await calling(zone, { try await $0.rehearse(some) }) {
                    proof.warnings = FailoverService.differences(some, present)
                }
            } catch {
                proof.warnings = ["\(error)"]
            }
            // A failover in the meantime has changed what was asked for.
            guard decisions.isEmpty, revision == placementRevision else { continue }
            guard readiness.take(proof, of: name) else { continue }
            await tell(
                proof.isReady ? .standbyReady : .standbyUnready, nil,
                proof.isReady ? "zone \(name) can be changed" : "zone \(name): \(proof.words)")
        }
    }

    static func differences(_ changes: [RecordChange], _ present: [DomainName: [RecordSet]]) -> [String] {
        changes.compactMap { change in
            guard let there = present[change.name], !there.agrees(with: change.expected) else { return nil }
            let found = there.isEmpty ? "nothing" : there.map(\.text).joined(separator: ", ")
            return "\(change.name) is \(found), expected \(change.expected.map(\.text).joined(separator: ", "))"
        }
    }

    /// Asks every standby of every service that we steer, and what it sees of the endpoint.
    func checkStandbys() async {
        var targets: [StandbyReadiness.Pair: EndpointTarget] = [:]
        for (active, services) in active(surroundings.store.state) {
            for service in services {
                for server in service.servers where server != active {
                    let pair = StandbyReadiness.Pair(service: service.name, server: server)
                    targets[pair] = service.carriage.endpoint.target
                }
            }
        }
        readiness.keep(standbys: Set(targets.keys))
        var base = await planningBase()
        if targets.keys.contains(where: { !base.obstacles($0.server, $0.service).isEmpty }) {
            // A change that is on its way to them is an obstacle for a moment, and no alert.
            try? await Task.sleep(for: .seconds(2))
            base = await planningBase()
        }
        let obstacles = base.obstacles
        var waiting = targets.sorted { ($0.key.service, $0.key.server) < ($1.key.service, $1.key.server) }[...]
        var changed: [ServerName: [(service: ServiceName, proof: StandbyReadiness.Proof)]] = [:]
        await withTaskGroup(of: (StandbyReadiness.Pair, StandbyReadiness.Proof).self) { group in
            func next() {
                guard let (pair, target) = waiting.popFirst() else { return }
                let known = obstacles(pair.server, pair.service)
                group.addTask { (pair, await self.proof(of: pair, known, target)) }
            }
            for _ in 0..<FailoverService.checksAtOnce { next() }
            for await (pair, proof) in group {
                next()
                if readiness.take(proof, of: pair) { changed[pair.server, default: []].append((pair.service, proof)) }
            }
        }
        // One alert for a server: what is wrong with it is wrong for all of its services, most often.
        for (server, proofs) in changed.sorted(by: { $0.key < $1.key }) {
            let (ready, unready) = (proofs.filter(\.proof.isReady), proofs.filter { !$0.proof.isReady })
            if !unready.isEmpty {
                let words = unready.map { "of service \($0.service): \($0.proof.words)" }.listed
                await tell(.standbyUnready, server, "as standby \(words)")
            }
            if !ready.isEmpty {
                let names = ready.map { "service \($0.service)" }.listed
                await tell(.standbyReady, server, "it can take over \(names)")
            }
        }
    }

    private func proof(
        of pair: StandbyReadiness.Pair, _ obstacles: [String], _ target: EndpointTarget
    ) async -> StandbyReadiness.Proof {
        var proof = StandbyReadiness.Proof(obstacles: obstacles, checkedAt: Date())
        guard obstacles.isEmpty else { return proof }
        do {
            let check = try await surroundings.publisher.checkEndpoint(target, on: pair.server, timeout: .seconds(8))
            if let error = check.resolveError {
                proof.warnings.append(error)
            } else if !check.attempts.contains(where: { $0.error == nil }) {
                let reasons = check.attempts.prefix(3).map { "\($0.address):\($0.port): \($0.error ?? "")" }
                proof.warnings.append("it cannot connect to the endpoint: \(reasons.joined(separator: ", "))")
            }
        } catch CommandFailure.disconnected {
            proof.obstacles.append("it is not connected")
        } catch {
            proof.warnings.append("it did not answer a check of the endpoint in time")
        }
        return proof
    }
}
