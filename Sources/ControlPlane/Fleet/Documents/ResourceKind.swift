import Domain
package import JSON

/// What the operator configures. Each kind is one collection of the API and one table of the store; the settings are a
/// collection of one.
package enum ResourceKind: String, CaseIterable, Sendable {
    case customer
    case server
    case service
    case zone
    case settings

    package var plural: String { self == .settings ? rawValue : rawValue + "s" }

    /// The name of the resource that `text` names: a zone's is a domain name, which can be written in more than one
    /// way.
    package func identifier(_ text: String) -> String {
        guard self == .zone else { return text }
        // What is no domain name is the name of nothing, and is looked for as it stands.
        return (try? DomainName(text))?.text ?? text
    }
}

extension ResourceKind {
    /// What its documents are made of.
    package var schema: DocumentSchema {
        switch self {
        case .customer: Customer.schema
        case .server: Server.schema
        case .service: Service.schema
        case .zone: Zone.schema
        case .settings: FleetSettings.schema
        }
    }

    /// A document that an earlier release has stored, with all members that one of this release has: whoever reads a
    /// resource finds each, whether it was changed since or not.
    package func completed(_ document: JSONValue) -> JSONValue {
        guard let object = document.object else { return document }
        return .object(schema.completed(object))
    }
}

extension Change.Edit {
    package var kind: ResourceKind {
        switch self {
        case .customer: .customer
        case .server: .server
        case .service: .service
        case .zone: .zone
        case .settings: .settings
        }
    }

    package var name: String {
        switch self {
        case .customer(let name, _, _): name.text
        case .server(let name, _, _): name.text
        case .service(let name, _, _): name.text
        case .zone(let name, _, _): name.text
        case .settings: FleetSettings.name
        }
    }

    /// The documents before and after; nil where the resource did not or does not exist.
    package var before: JSONValue? {
        switch self {
        case .customer(_, let before, _): before.map { $0.document }
        case .server(_, let before, _): before.map { $0.document }
        case .service(_, let before, _): before.map { $0.document }
        case .zone(_, let before, _): before.map { $0.document }
        case .settings(let before, _): before.document
        }
    }

    package var after: JSONValue? {
        switch self {
        case .customer(_, _, let after): after.map { $0.document }
        case .server(_, _, let after): after.map { $0.document }
        case .service(_, _, let after): after.map { $0.document }
        case .zone(_, _, let after): after.map { $0.document }
        case .settings(_, let after): after.document
        }
    }

    package var changesNothing: Bool {
        switch self {
        case .customer(_, let before, let after): before == after
        case .server(_, let before, let after): before == after
        case .service(_, let before, let after): before == after
        case .zone(_, let before, let after): before == after
        case .settings(let before, let after): before == after
        }
    }
}
