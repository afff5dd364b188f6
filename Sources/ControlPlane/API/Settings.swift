import Domain
import Fleet
import Hummingbird
import JSON
import Store

/// What holds for the whole fleet: always there, and set but never created or deleted.
extension ControlAPI {
    static let settingsOperations: [Operation] = [
        Operation(.get, "/api/v1/settings") { api in { try await api.show(.settings, $0) } },
        Operation(.patch, "/api/v1/settings", query: Operation.change) { api in
            { try await api.update(.settings, $0, proposeSettings) }
        },
    ]

    @Sendable private static func proposeSettings(_ document: JSONValue, _ base: ChangeBase) -> Proposal {
        let findings = Findings()
        var proposal = Proposal()
        if let settings = FleetSettings.read(document, findings) {
            proposal = Proposal([.settings(before: base.state.settings, after: settings)])
        }
        proposal.violations = findings.all
        return proposal
    }
}
