import Domain
import Fleet
import JSON

extension Proposal {
    /// What a whole document of a resource proposes; `state` has the resource as it is.
    init(_ kind: ResourceKind, reading document: JSONValue, in state: FleetState) {
        let findings = Findings()
        switch kind {
        case .customer:
            self =
                Customer.read(document, findings).map {
                    Proposal([.customer($0.name, before: state.customers[$0.name], after: $0)])
                } ?? Proposal()
        case .server:
            let draft = ServerDraft(reading: document, findings)
            self.init()
            if let server = draft.server {
                edits = [.server(server.name, before: state.servers[server.name], after: server)]
            }
            servers = [draft]
        case .service:
            let draft = ServiceDraft(reading: document, findings)
            self.init()
            if let service = draft.service {
                edits = [.service(service.name, before: state.services[service.name], after: service)]
            }
            services = [draft]
        case .zone:
            self =
                Zone.read(document, findings).map {
                    Proposal([.zone($0.name, before: state.zones[$0.name], after: $0)])
                } ?? Proposal()
        case .settings:
            self =
                FleetSettings.read(document, findings).map {
                    Proposal([.settings(before: state.settings, after: $0)])
                } ?? Proposal()
        }
        violations = findings.all
    }
}
