package import Domain
package import FoundationEssentials

/// The readiness of standbys and zones, as ``ReadinessProver`` found it last. Pure.
package struct StandbyReadiness: Sendable {
    package struct Pair: Hashable, Sendable {
        package let service: ServiceName
        package let server: ServerName
    }

    package struct Proof: Sendable, Equatable {
        /// Why it must not take over; empty when it may.
        package var obstacles: [String] = []
        /// Faults that would not keep it from taking over.
        package var warnings: [String] = []
        package let checkedAt: Date

        package var isReady: Bool { obstacles.isEmpty && warnings.isEmpty }
        package var words: String { (obstacles + warnings).joined(separator: "; ") }
    }

    package private(set) var standbys: [Pair: Proof] = [:]
    /// A zone has warnings only: its fault may be mended by the time that it is needed.
    package private(set) var zones: [DomainName: Proof] = [:]

    /// Enters a proof. Answers whether it has to be told: it is another than before, or the first one and bad.
    mutating func enter(_ proof: Proof, of pair: Pair) -> Bool {
        let before = standbys.updateValue(proof, forKey: pair)
        return before.map { $0.isReady != proof.isReady } ?? !proof.isReady
    }

    mutating func enter(_ proof: Proof, of zone: DomainName) -> Bool {
        let before = zones.updateValue(proof, forKey: zone)
        return before.map { $0.isReady != proof.isReady } ?? !proof.isReady
    }

    mutating func keep(standbys pairs: Set<Pair>) { standbys = standbys.filter { pairs.contains($0.key) } }

    mutating func keep(zones names: Set<DomainName>) { zones = zones.filter { names.contains($0.key) } }

    func warnings(of service: ServiceName, on server: ServerName) -> [String] {
        standbys[Pair(service: service, server: server)]?.warnings ?? []
    }
}
