import Channel
import Failover
import Notices
import Probing
import Store

/// The steps of the schema of all subjects, in the order of their release: a step's number is its place here.
enum Schema {
    static let migrations: [Migration] = [
        .fleet, .certificates, .zones, .failovers, .alerts, .failoverParts, .probeKey,
    ]
}
