/// What somebody may do by the API or the portal. Each operation names the one that it needs.
package enum Right: String, CaseIterable, Sendable {
    /// See customers, servers, services, zones, settings, and the versions of all of them.
    case readFleet
    case changeCustomers
    case changeServers
    case changeServices
    case changeZones
    case changeSettings
    /// Make the state of an earlier version the newest one: a change of anything.
    case restoreVersions
    /// Tell a server what is no configuration: to drain, to take this control plane's configuration.
    case commandServers
    /// Say which machine may connect as a server, and take that back.
    case enrollServers
    /// Have servers connect to an endpoint, and see what they saw.
    case checkEndpoints
    /// See which flows are open, with the addresses of devices.
    case listFlows
    case readFailovers
    /// Move services from a server, and back.
    case moveServices
    /// Freeze the fleet, and say that a server is up or down whatever probes say.
    case overrideFailover
    /// See what happens in the fleet.
    case readEvents
    /// See who did what.
    case readAudit
    /// See who may use the API, and change that.
    case manageTokens
    case readMetrics
}

/// Who asks for something, and what they may do.
package struct Caller: Sendable, Equatable {
    /// As the audit trail names them.
    package let name: String
    private let rights: Set<Right>

    package init(name: String, rights: Set<Right>) {
        self.name = name
        self.rights = rights
    }

    package func may(_ right: Right) -> Bool { rights.contains(right) }
}
