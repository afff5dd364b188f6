import Domain
import FoundationEssentials

/// What is known of the standbys' readiness, proven again and again rather than at the moment of need.
struct StandbyReadiness: Sendable {
    struct Pair: Hashable, Sendable {
        let service: ServiceName
        let server: ServerName
    }

    struct Proof: Sendable, Equatable {
        /// Why it must not take over; empty when it may.
        var obstacles: [String] = []
        /// What is wrong, and would not keep it from taking over.
        var warnings: [String] = []
        let checkedAt: Date

        var isReady: Bool { obstacles.isEmpty && warnings.isEmpty }
        var words: String { (obstacles + warnings).joined(separator: "; ") }
    }

    private(set) var standbys: [Pair: Proof] = [:]
    /// Of zones there are warnings only: what is wrong with one may be right again when it is needed.
    private(set) var zones: [DomainName: Proof] = [:]

    /// Takes a proof in. Answers whether the answer is another than before; the first one counts when it is bad.
    mutating func take(_ proof: Proof, of pair: Pair) -> Bool {
        let before = standbys.updateValue(proof, forKey: pair)
        return before.map { $0.isReady != proof.isReady } ?? !proof.isReady
    }

    mutating func take(_ proof: Proof, of zone: DomainName) -> Bool {
        let before = zones.updateValue(proof, forKey: zone)
        return before.map { $0.isReady != proof.isReady } ?? !proof.isReady
    }

    mutating func keep(_ pairs: Set<Pair>, _ names: Set<DomainName>) {
        standbys = standbys.filter { pairs.contains($0.key) }
        zones = zones.filter { names.contains($0.key) }
    }

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
            await rehearseZones()
            await checkStandbys()
            try? await Task.sleep(for: FailoverService.proofInterval)
        }
    }

    /// Asks each zone's provider whether it would make a change that changes nothing: the record, the credential and the way there.
    private func rehearseZones() async {
        let state = around.store.state
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
        readiness.keep(Set(readiness.standbys.keys), Set(changes.keys))
        for (name, all) in changes.sorted(by: { $0.key < $1.key }) {
            guard let zone = state.zones[name] else { continue }
            // Another part of a great zone each time.
            let some = Array(all.shuffled().prefix(FailoverService.namesRehearsed))
            var proof = StandbyReadiness.Proof(checkedAt: Date())
            do {
                if case .conflict(let present) = try await around.provider(zone).rehearse(some) {
                    proof.warnings = FailoverService.differences(some, present)
                }
            } catch {
                proof.warnings = ["\(error)"]
            }
            // A failover in the meantime has changed what was asked for.
            guard !some.contains(where: { isMoving($0.name, state) }) else { continue }
            guard readiness.take(proof, of: name) else { continue }
            await tell(
                proof.isReady ? .standbyReady : .standbyUnready, nil,
                proof.isReady ? "zone \(name) can be changed" : "zone \(name): \(proof.words)")
        }
    }

    private func isMoving(_ name: DomainName, _ state: FleetState) -> Bool {
        decisions.keys.contains { state.services[$0]?.bindings.contains { $0.name == name } ?? false }
    }

    private static func differences(_ changes: [RecordChange], _ present: [DomainName: [RecordSet]]) -> [String] {
        changes.compactMap { change in
            guard let there = present[change.name], !there.agrees(with: change.expected) else { return nil }
            let found = there.isEmpty ? "nothing" : there.map(\.text).joined(separator: ", ")
            return "\(change.name) is \(found), expected \(change.expected.map(\.text).joined(separator: ", "))"
        }
    }

    /// Asks every standby of every service that we steer, and what it sees of the endpoint.
    private func checkStandbys() async {
        let state = around.store.state
        let base = await planningBase()
        var pairs: [StandbyReadiness.Pair] = []
        for (active, services) in active(state) {
            for service in services {
                pairs += service.servers.filter { $0 != active }.map {
                    StandbyReadiness.Pair(service: service.name, server: $0)
                }
            }
        }
        readiness.keep(Set(pairs), Set(readiness.zones.keys))
        var waiting = pairs.sorted { ($0.service, $0.server) < ($1.service, $1.server) }[...]
        await withTaskGroup(of: (StandbyReadiness.Pair, StandbyReadiness.Proof).self) { group in
            func next() {
                guard let pair = waiting.popFirst() else { return }
                let obstacles = base.obstacles(pair.server, pair.service)
                let target = state.services[pair.service]?.carriage.endpoint.target
                group.addTask { (pair, await self.proof(of: pair, obstacles, target)) }
            }
            for _ in 0..<FailoverService.checksAtOnce { next() }
            for await (pair, proof) in group {
                next()
                guard readiness.take(proof, of: pair) else { continue }
                await tell(
                    proof.isReady ? .standbyReady : .standbyUnready, pair.server,
                    proof.isReady
                        ? "it can take over service \(pair.service)"
                        : "as standby of service \(pair.service): \(proof.words)")
            }
        }
    }

    private func proof(
        of pair: StandbyReadiness.Pair, _ obstacles: [String], _ target: EndpointTarget?
    ) async -> StandbyReadiness.Proof {
        var proof = StandbyReadiness.Proof(obstacles: obstacles, checkedAt: Date())
        guard obstacles.isEmpty, let target else { return proof }
        do {
            let check = try await around.publisher.checkEndpoint(target, on: pair.server, timeout: .seconds(8))
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
