import DNS
import Domain

/// Proves that a zone's change is answered: knows which authoritative server has yet to answer which of its records.
struct ZoneVerification: Sendable {
    typealias Ask = @Sendable (AuthoritativeServer, DomainName, RecordType) async -> AuthorityAnswer

    /// The result of asking one server.
    struct Answer: Sendable, Equatable {
        /// Of the server, among those of the zone.
        let place: Int
        /// The first answer that disagrees with the change; empty when the server answers all of it.
        let detail: String

        var agrees: Bool { detail.isEmpty }
    }

    /// A server that is behind is behind for all names, most often. So after this many it is not asked for more.
    private static let enough = 3

    let servers: [AuthoritativeServer]
    /// For each server, the changes that it has not answered yet.
    private var pending: [[RecordChange]]
    private let ask: Ask

    init(of changes: [RecordChange], at servers: [AuthoritativeServer], asking ask: @escaping Ask) {
        self.servers = servers
        pending = servers.map { _ in changes }
        self.ask = ask
    }

    /// Every server answers the whole change.
    var isComplete: Bool { pending.allSatisfy(\.isEmpty) }

    /// Asks all servers at once for the changes that they have not answered yet. The fastest answer comes first.
    mutating func askPending() async -> [Answer] {
        let asked = await withTaskGroup(of: (Answer, [RecordChange]).self) { group in
            for (place, changes) in pending.enumerated() where !changes.isEmpty {
                let (server, ask) = (servers[place], ask)
                group.addTask {
                    let (left, detail) = await ZoneVerification.disagreeing(server, changes, ask)
                    return (Answer(place: place, detail: detail), left)
                }
            }
            var asked: [(Answer, [RecordChange])] = []
            for await answer in group { asked.append(answer) }
            return asked
        }
        for (answer, left) in asked { pending[answer.place] = left }
        return asked.map(\.0)
    }

    /// The changes that a server does not answer yet, and one of its answers that disagree.
    private static func disagreeing(
        _ server: AuthoritativeServer, _ changes: [RecordChange], _ ask: Ask
    ) async -> ([RecordChange], String) {
        var left: [RecordChange] = []
        var detail = ""
        for change in changes {
            if let disagreement = await disagreement(server, change, ask) {
                left.append(change)
                detail = "\(change.name): \(disagreement)"
            }
            if left.count >= enough { return (changes, detail) }
        }
        return (left, detail)
    }

    /// The first answer of a server that does not agree with a change.
    private static func disagreement(
        _ server: AuthoritativeServer, _ change: RecordChange, _ ask: Ask
    ) async -> AuthorityAnswer? {
        for wanted in change.wanted {
            let answer = await ask(server, change.name, wanted.type)
            if case .records(let sets) = answer, sets.contains(where: { $0.agrees(with: wanted) }) { continue }
            return answer
        }
        // A type that the change removes must be gone, such as addresses of a family that the standby does not have.
        let removed = change.expected.map(\.type).filter { type in !change.wanted.contains { $0.type == type } }
        for type in removed {
            let answer = await ask(server, change.name, type)
            if case .records(let sets) = answer, !sets.contains(where: { $0.type == type }) { continue }
            return answer
        }
        return nil
    }
}
