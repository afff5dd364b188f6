import Domain
import FoundationEssentials
import Store

/// Orders of operators that last until a moment: an override of a server, a freeze of the fleet. Pure.
///
/// ``StandingOrderRows`` has them as rows. An order is entered here after it is stored. An order whose time is over
/// ends here first: it must not last longer because the store is away.
struct StandingOrders: Sendable {
    private(set) var overrides: [ServerName: ServerOverride] = [:]
    private(set) var freeze: Freeze?

    init(overrides: [ServerName: ServerOverride] = [:], freeze: Freeze? = nil) {
        self.overrides = overrides
        self.freeze = freeze
    }

    /// The freeze as an obstacle to moving anything.
    var obstacles: [String] {
        guard let freeze else { return [] }
        return [
            "the fleet is frozen by \(freeze.author) until \(Timestamp.text(freeze.until)): \(freeze.reason); "
                + "`ddirect unfreeze` ends that"
        ]
    }

    mutating func set(_ override: ServerOverride) { overrides[override.server] = override }

    mutating func clearOverride(of server: ServerName) { overrides[server] = nil }

    mutating func set(_ freeze: Freeze?) { self.freeze = freeze }

    /// Ends the overrides whose time is over, and answers them.
    ///
    /// All of them at once: a later word on the same server, said while the end of this one is stored, stands.
    mutating func endOverrides(at now: Date) -> [ServerOverride] {
        let over = overrides.values.filter { $0.until <= now }.sorted { $0.server < $1.server }
        for override in over { overrides[override.server] = nil }
        return over
    }

    /// Ends the freeze when its time is over, and answers it.
    mutating func endFreeze(at now: Date) -> Freeze? {
        guard let over = freeze, over.until <= now else { return nil }
        freeze = nil
        return over
    }
}
