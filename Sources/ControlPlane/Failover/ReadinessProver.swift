import Channel
import DNS
import Domain
import Fleet
import FoundationEssentials

/// Proves again and again that every standby could take over and every zone could be changed, rather than at the moment
/// of need. It changes nothing.
actor ReadinessProver {
    /// Where records lead at a moment.
    struct Steering: Sendable {
        let state: FleetState
        /// The services whose records we steer, by the server that these lead to.
        let active: [ServerName: [Service]]
        /// The services that a failover is moving.
        let moving: Set<ServiceName>
        /// Grows with each change of where services are.
        let revision: Int
    }

    /// The facts that the prover asks for.
    struct Questions: Sendable {
        let steering: @Sendable () async -> Steering
        let planningBase: @Sendable () async -> PlanningBase
    }

    /// Between two proofs of the same thing.
    private static let interval = Duration.seconds(30)
    /// Servers connect in this time after a start, and vantages report.
    private static let settling = Duration.seconds(3)
    /// A change reaches data planes in this time. Until then it is an obstacle, and no alert.
    private static let spreading = Duration.seconds(2)
    /// Endpoint checks under way at a time; a data plane does not read more commands than it can carry out.
    private static let checksAtOnce = 4
    /// Names of a zone that are asked about in one rehearsal.
    private static let namesRehearsed = 50

    private(set) var readiness = StandbyReadiness()
    private let calls: ProviderCalls
    /// Has a data plane check an endpoint.
    private let check: @Sendable (EndpointTarget, ServerName) async throws -> EndpointCheck
    private let announcer: Announcer
    private let clock = ContinuousClock()

    init(
        _ calls: ProviderCalls, announcer: Announcer,
        check: @escaping @Sendable (EndpointTarget, ServerName) async throws -> EndpointCheck
    ) {
        self.calls = calls
        self.announcer = announcer
        self.check = check
    }

    /// Proves round after round until it is cancelled. The next round begins early when services have other standbys
    /// now.
    func run(_ questions: Questions) async {
        try? await Task.sleep(for: ReadinessProver.settling)
        while !Task.isCancelled {
            let revision = await questions.steering().revision
            await rehearseZones(questions)
            await checkStandbys(questions)
            let next = clock.now + ReadinessProver.interval
            while !Task.isCancelled, clock.now < next, await questions.steering().revision == revision {
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    // MARK: Zones

    /// Asks each zone's provider whether it would make a change that changes nothing. That proves the records, the
    /// credential and the way there.
    func rehearseZones(_ questions: Questions) async {
        let steering = await questions.steering()
        let changes = ReadinessProver.standingChanges(steering)
        readiness.keep(zones: Set(changes.keys))
        for (name, all) in changes.sorted(by: { $0.key < $1.key }) {
            guard let zone = steering.state.zones[name] else { continue }
            // Another part of a great zone each time.
            let some = Array(all.shuffled().prefix(ReadinessProver.namesRehearsed))
            let proof = await proof(of: some, in: zone)
            let now = await questions.steering()
            // A failover has changed meanwhile which records there are to be.
            guard now.moving.isEmpty, now.revision == steering.revision else { continue }
            guard readiness.enter(proof, of: name) else { continue }
            await announcer.tell(
                proof.isReady ? .standbyReady : .standbyUnready, nil,
                proof.isReady ? "zone \(name) can be changed" : "zone \(name): \(proof.words)")
        }
    }

    /// For each zone, its records as they are to be now: each expected, and wanted unchanged.
    static func standingChanges(_ steering: Steering) -> [DomainName: [RecordChange]] {
        var changes: [DomainName: [RecordChange]] = [:]
        for (server, services) in steering.active {
            guard let server = steering.state.servers[server] else { continue }
            for service in services where !steering.moving.contains(service.name) {
                for binding in service.bindings {
                    let records = binding.records(of: server)
                    changes[binding.zone, default: []].append(
                        RecordChange(name: binding.name, expected: records, wanted: records))
                }
            }
        }
        return changes
    }

    private func proof(of changes: [RecordChange], in zone: Zone) async -> StandbyReadiness.Proof {
        var proof = StandbyReadiness.Proof(checkedAt: Date())
        do {
            if case .conflict(let present) = try await calls.to(zone, { try await $0.rehearse(changes) }) {
                proof.warnings = changes.differences(from: present)
            }
        } catch {
            proof.warnings = ["\(error)"]
        }
        return proof
    }

    // MARK: Standbys

    /// Checks every standby of every service that we steer: its own state, and its way to the endpoint.
    func checkStandbys(_ questions: Questions) async {
        let targets = ReadinessProver.targets(await questions.steering())
        readiness.keep(standbys: Set(targets.keys))
        var base = await questions.planningBase()
        if targets.keys.contains(where: { !base.obstacles($0.server, $0.service).isEmpty }) {
            try? await Task.sleep(for: ReadinessProver.spreading)
            base = await questions.planningBase()
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
            for _ in 0..<ReadinessProver.checksAtOnce { next() }
            for await (pair, proof) in group {
                next()
                if readiness.enter(proof, of: pair) { changed[pair.server, default: []].append((pair.service, proof)) }
            }
        }
        await tell(changed)
    }

    /// The endpoint that each standby has to reach.
    private static func targets(_ steering: Steering) -> [StandbyReadiness.Pair: EndpointTarget] {
        var targets: [StandbyReadiness.Pair: EndpointTarget] = [:]
        for (active, services) in steering.active {
            for service in services {
                for server in service.servers where server != active {
                    targets[StandbyReadiness.Pair(service: service.name, server: server)] =
                        service.carriage.endpoint.target
                }
            }
        }
        return targets
    }

    private func proof(
        of pair: StandbyReadiness.Pair, _ obstacles: [String], _ target: EndpointTarget
    ) async -> StandbyReadiness.Proof {
        var proof = StandbyReadiness.Proof(obstacles: obstacles, checkedAt: Date())
        guard obstacles.isEmpty else { return proof }
        do {
            let seen = try await check(target, pair.server)
            if let error = seen.resolveError {
                proof.warnings.append(error)
            } else if !seen.attempts.contains(where: { $0.error == nil }) {
                let reasons = seen.attempts.prefix(3).map { "\($0.address):\($0.port): \($0.error ?? "")" }
                proof.warnings.append("it cannot connect to the endpoint: \(reasons.joined(separator: ", "))")
            }
        } catch CommandFailure.disconnected {
            proof.obstacles.append("it is not connected")
        } catch {
            proof.warnings.append("it did not answer a check of the endpoint in time")
        }
        return proof
    }

    /// One alert for a server: a fault concerns all of its services, most often.
    private func tell(_ changed: [ServerName: [(service: ServiceName, proof: StandbyReadiness.Proof)]]) async {
        for (server, proofs) in changed.sorted(by: { $0.key < $1.key }) {
            let (ready, unready) = (proofs.filter(\.proof.isReady), proofs.filter { !$0.proof.isReady })
            if !unready.isEmpty {
                let words = unready.map { "of service \($0.service): \($0.proof.words)" }.listed
                await announcer.tell(.standbyUnready, server, "as standby \(words)")
            }
            if !ready.isEmpty {
                let names = ready.map { "service \($0.service)" }.listed
                await announcer.tell(.standbyReady, server, "it can take over \(names)")
            }
        }
    }
}
