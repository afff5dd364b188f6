import FoundationEssentials
import Logging
import Notices
import Store

/// Storing how far failovers have come.
extension FailoverService {
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
                guard underWay[id] != nil else { throw CancellationError() }
                try await save(id, step)
                if let news = step.news { announce(news, of: failover) }
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

    func advance(_ id: FailoverID, to stage: Failover.Stage) async throws {
        try await update(id) { $0.stage = stage }
    }

    /// A step with an entry in the timeline, of which the same words are told when it is news of a kind.
    func note(_ kind: TimelineEntry.Kind, _ detail: String, news: FleetEvent.Kind? = nil) -> FailoverStep {
        FailoverStep(
            entries: [TimelineEntry(at: Date(), kind: kind, detail: detail)],
            news: news.map { FailoverNews(kind: $0, detail: detail) })
    }

    /// Stores a step, together with all that is to be stored by then: a failover of hundreds of zones takes as many steps at a time, and a
    /// transaction waits for the disk once.
    private func save(_ id: FailoverID, _ step: FailoverStep) async throws {
        unsaved.append((id, step))
        let save: Task<Void, any Error>
        if let nextSave {
            save = nextSave
        } else {
            let previous = lastSave
            // A task of its own: cancelled in the midst of a transaction, as at a shutdown, it would break that off.
            save = Task {
                _ = await previous?.result
                try await storeUnsaved()
            }
            nextSave = save
            lastSave = save
        }
        try await save.value
    }

    private func storeUnsaved() async throws {
        let steps = unsaved
        unsaved = []
        nextSave = nil
        let changes = Set(steps.map(\.id)).sorted().compactMap { id in
            // What other tasks of the same failover have changed meanwhile is stored as well.
            underWay[id].map { newest in
                FailoverChange(
                    failover: newest, before: stored[id], steps: steps.filter { $0.id == id }.map(\.step))
            }
        }
        try await surroundings.journal.save(changes)
        for change in changes { stored[change.failover.id] = change.failover.stage.isOver ? nil : change.failover }
    }
}
