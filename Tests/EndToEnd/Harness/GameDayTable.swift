import Foundation
import JSON
import Synchronization
import Testing

/// What one case of a game day came to: a row of the table that is printed in the end, all times in seconds after the
/// fault.
struct GameDayRow {
    let name: String
    /// When the fault was made; or when somebody gave the order.
    let fault: Moment
    /// As the control plane tells it.
    var firstMiss, decision, written, verified: Moment?
    /// When the watch had the new answer from every authoritative server.
    var everywhere: Moment?
    /// When the device had its first answer through the new server.
    var served: Moment?
    /// From the device's last answer through the old server to its first through the new one.
    var outage: Double?
    /// For how long the resolver went on giving the old answer after the watch had the new one everywhere.
    var held: Double?
    var remark = ""

    /// The story of a failover that the device has got over, from one server to another.
    init(
        _ name: String, since fault: Moment, _ failover: JSONValue, _ witnesses: Witnesses, from old: Host, to new: Host
    ) {
        self.name = name
        self.fault = fault
        // What was missed before is another row's story.
        firstMiss = failover.moment(of: "firstMiss").flatMap { $0 < fault ? nil : $0 }
        decision = failover.moment(of: "decision")
        written = failover.moment(of: "written")
        verified = failover.verified
        everywhere = witnesses.everywhere("\(new.name).dfree.test", after: fault)
        let calls = witnesses.calls
        let first = calls.first { $0.isGood && $0.address == new.address && $0.opened > fault }
        served = first?.ended
        if let first,
            let last = calls.filter({ $0.isGood && $0.address == old.address && $0.opened < first.opened }).map(\.ended)
                .max()
        {
            outage = max(0, first.ended - last)
        }
        if let everywhere, let turned = calls.first(where: { $0.address == new.address && $0.opened > fault }) {
            held = max(0, turned.opened - everywhere)
        }
    }

    /// A case in which nothing moves.
    init(_ name: String, since fault: Moment, remark: String) {
        (self.name, self.fault, self.remark) = (name, fault, remark)
    }

    fileprivate static let head = [
        "Case", "First miss", "Decision", "DNS written", "Verified", "Authoritative everywhere",
        "Standby's first answer",
        "Device's outage", "Remark",
    ]

    fileprivate var cells: [String] {
        let moments = [firstMiss, decision, written, verified, everywhere, served].map { moment in
            moment.map { GameDayRow.seconds($0 - fault) } ?? "–"
        }
        return [name] + moments + [outage.map(GameDayRow.seconds) ?? "–", remark]
    }

    static func seconds(_ number: Double) -> String { String(format: "%.2f s", number) }
}

/// The rows of all cases that were played.
enum GameDayTable {
    private static let rows = Mutex<[GameDayRow]>([])

    static func add(_ row: GameDayRow) { rows.withLock { $0.append(row) } }

    /// As it can be pasted into a document.
    static var markdown: String {
        let lines = [GameDayRow.head, GameDayRow.head.map { _ in "---" }] + rows.withLock { $0.map(\.cells) }
        return lines.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }

    static var isEmpty: Bool { rows.withLock(\.isEmpty) }
}

/// Has the table printed when the whole suite is over.
struct PrintsGameDayTable: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        defer {
            if !GameDayTable.isEmpty {
                let build = GameDay.isOfRelease ? "release" : "debug"
                print("\nGame day, \(build) build; seconds after the fault:\n\n\(GameDayTable.markdown)\n")
            }
        }
        try await function()
    }
}

extension Trait where Self == PrintsGameDayTable {
    static var printsTable: PrintsGameDayTable { PrintsGameDayTable() }
}
