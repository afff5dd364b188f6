import DNS
import Domain

extension [String] {
    /// More than a person reads in one line.
    static let mostListed = 20

    /// The first of them in one line, and how many others there are.
    var listed: String {
        let rest = count - Self.mostListed
        return prefix(Self.mostListed).joined(separator: "; ") + (rest > 0 ? "; and \(rest) others" : "")
    }
}

extension [Failover.Move] {
    /// Which services go where, in one line.
    var listed: String { map { "\($0.service) from \($0.from) to \($0.to)" }.listed }
}

extension [RecordSet] {
    /// In one line; `nothing` when there are none.
    var words: String { isEmpty ? "nothing" : map(\.text).joined(separator: ", ") }
}

extension [RecordChange] {
    /// A sentence for each name whose present records are not the expected ones.
    func differences(from present: [DomainName: [RecordSet]]) -> [String] {
        compactMap { change in
            guard let found = present[change.name], !found.agrees(with: change.expected) else { return nil }
            return "\(change.name) is \(found.words), expected \(change.expected.words)"
        }
    }
}
