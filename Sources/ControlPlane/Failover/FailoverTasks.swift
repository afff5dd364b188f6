import Channel
import Probing
import ServiceLifecycle

/// The tasks of failover, in one tree.
extension FailoverService: ServiceLifecycle.Service {
    /// Between two steps of the machine. A fifth of the shortest probe interval, so that steps add little delay.
    private static let stepInterval = Duration.milliseconds(200)

    package func run() async throws {
        for id in placements.underWay.keys.sorted() { await resume(id) }
        await withDiscardingTaskGroup { group in
            group.addTask { for await outcome in self.surroundings.prober.outcomes { await self.receive(outcome) } }
            group.addTask { for await outcome in self.surroundings.publisher.probes { await self.receive(outcome) } }
            group.addTask { for await traffic in self.surroundings.publisher.traffic { await self.count(traffic) } }
            group.addTask { await self.stepAllTheTime() }
            group.addTask { await self.prover.run(self.readinessQuestions) }
            for await id in starts.cancelOnGracefulShutdown() { group.addTask { await self.carryOut(id) } }
            // The store has all failovers under way, and the next start goes on with them.
            group.cancelAll()
        }
    }

    private func stepAllTheTime() async {
        while !Task.isCancelled {
            await step()
            try? await Task.sleep(for: FailoverService.stepInterval)
        }
    }

    private func receive(_ outcome: ProbeOutcome) async {
        // Whether the server carries traffic is asked for only where it counts.
        let isCarrying =
            outcome.accepted && outcome.service == nil ? await surroundings.publisher.isCarrying(outcome.server) : false
        machine.receive(outcome, isCarrying: isCarrying)
    }
}
