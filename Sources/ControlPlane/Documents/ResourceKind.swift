import Domain

/// What the operator configures. Each kind is one collection of the API and one table of the store.
enum ResourceKind: String, CaseIterable, Sendable {
    case customer
    case server
    case service

    var plural: String { rawValue + "s" }
}

/// The members that every resource's representation has beside its document.
enum Representation {
    static let readOnly = ["revision", "createdAt", "updatedAt"]
}

extension Change.Edit {
    var kind: ResourceKind {
        switch self {
        case .customer: .customer
        case .server: .server
        case .service: .service
        }
    }

    var name: String {
        switch self {
        case .customer(let name, _, _): name.text
        case .server(let name, _, _): name.text
        case .service(let name, _, _): name.text
        }
    }

    /// The documents before and after; nil where the resource did not or does not exist.
    var before: JSONValue? {
        switch self {
        case .customer(_, let before, _): before.map { $0.document }
        case .server(_, let before, _): before.map { $0.document }
        case .service(_, let before, _): before.map { $0.document }
        }
    }

    var after: JSONValue? {
        switch self {
        case .customer(_, _, let after): after.map { $0.document }
        case .server(_, _, let after): after.map { $0.document }
        case .service(_, _, let after): after.map { $0.document }
        }
    }

    var changesNothing: Bool {
        switch self {
        case .customer(_, let before, let after): before == after
        case .server(_, let before, let after): before == after
        case .service(_, let before, let after): before == after
        }
    }
}
