import DNS
import Domain

/// Makes the change of one zone, one attempt at a time.
///
///     in doubt ──read the records──┬─ all as wanted, or none of them ours: the zone has come to its end
///                                  └─ the rest: asked for
///     asked for ─┬─ made: the zone has come to its end
///                ├─ a conflict: the records are compared, and the rest is left to the next attempt
///                └─ failed: in doubt, unless it is certain that nothing was done
///
/// It keeps nothing: it reports facts, and goes on when each of them is stored.
struct ZoneWriter: Sendable {
    enum Fact: Sendable, Equatable {
        /// The provider is about to be asked for so many changes. The zone is in doubt from now on.
        case asking(attempt: Int, changes: Int)
        /// The change was certainly not made: the zone is no longer in doubt.
        case notMade
        /// Some records are somebody else's. All records of the zone, with these marked, and a finding for each of
        /// them.
        case foreign([Failover.SteeredRecord], [ForeignRecord])
        /// Every record that is ours has its wanted value. `how` in the words of the timeline.
        case written(how: String)
        /// No record is ours.
        case conflicted
    }

    let calls: ProviderCalls

    /// Asks for the change once. A zone in doubt is read first: a write is never repeated blindly.
    ///
    /// `report` returns when the fact is stored. Throws a ``DNSFailure`` when the zone has to be tried again.
    func attempt(
        _ zoneWork: Failover.ZoneWork, in zone: Zone, report: @Sendable (Fact) async throws -> Void
    ) async throws {
        var zoneWork = zoneWork
        var present: [DomainName: [RecordSet]] = [:]
        if zoneWork.isInDoubt {
            let names = zoneWork.openChanges.map(\.name)
            present = try await calls.to(zone) { try await $0.present(names) }
            if try await compare(&zoneWork, with: present, how: "found as it was to be", report) { return }
        }
        // A record that already has the wanted value is skipped: its old value no longer matches.
        let changes = zoneWork.openChanges.filter { !(present[$0.name]?.agrees(with: $0.wanted) ?? false) }
        try await report(.asking(attempt: zoneWork.attempts + 1, changes: changes.count))
        let outcome: ZoneOutcome
        do {
            outcome = try await calls.to(zone) { try await $0.apply(changes) }
        } catch let failure as DNSFailure {
            if !failure.mayHaveHappened { try await report(.notMade) }
            throw failure
        }
        switch outcome {
        case .done: try await report(.written(how: "written"))
        case .conflict(let present):
            if try await compare(&zoneWork, with: present, how: "written before", report) { return }
            // Some records have the wanted value and some the old one. The zone stays in doubt, so the next attempt
            // asks for the rest.
            throw DNSFailure(
                kind: .unavailable, reason: "some of its names are not as expected; they are looked at again")
        }
    }

    /// Compares the records that were found with those that are wanted. True when that ends the zone.
    private func compare(
        _ zoneWork: inout Failover.ZoneWork, with present: [DomainName: [RecordSet]], how: String,
        _ report: @Sendable (Fact) async throws -> Void
    ) async throws -> Bool {
        let (foreign, isDone) = zoneWork.markForeign(present)
        if !foreign.isEmpty { try await report(.foreign(zoneWork.records, foreign)) }
        if zoneWork.openChanges.isEmpty {
            try await report(.conflicted)
        } else if isDone {
            try await report(.written(how: how))
        } else {
            return false
        }
        return true
    }
}

/// A record that was to be changed, and that somebody else has changed.
struct ForeignRecord: Sendable, Equatable {
    let service: ServiceName
    /// Its present value, as a sentence.
    let finding: String
}

extension Failover.ZoneWork {
    /// The changes of records that are not known to be somebody else's.
    var openChanges: [RecordChange] { records.filter { !$0.isConflict }.map(\.change) }

    /// Marks the records that are neither as they were nor as they are to be, and answers them. `isDone`: all records
    /// are as they are to be. A name that `present` does not mention is not known.
    mutating func markForeign(
        _ present: [DomainName: [RecordSet]]
    ) -> (foreign: [ForeignRecord], isDone: Bool) {
        var isDone = true
        var foreign: [ForeignRecord] = []
        for place in records.indices where !records[place].isConflict {
            let change = records[place].change
            guard let found = present[change.name] else {
                isDone = false
                continue
            }
            if found.agrees(with: change.wanted) { continue }
            isDone = false
            if found.agrees(with: change.expected) { continue }
            records[place].isConflict = true
            let finding =
                "\(change.name) is \(found.words), which is not what was expected (\(change.expected.words)); "
                + "it is left as it is"
            foreign.append(ForeignRecord(service: records[place].service, finding: finding))
        }
        return (foreign, isDone)
    }
}
