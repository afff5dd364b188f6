import Domain
import Routing
import Syscalls

/// Everything that routing needs of one snapshot, laid out for looking up: immutable, shared by all workers.
///
/// A worker holds the table to keep it alive and reads it through `view`, which is plain memory: a look-up allocates
/// nothing and touches no reference count. Flows remember slots, never the table.
final class RoutingTable: Sendable {
    /// Where a service's traffic goes and how.
    struct Route: BitwiseCopyable {
        var firstTarget: Int32 = 0
        /// 0 when the slot is not in this table.
        var targetCount: Int32 = 0
        /// The number of this list of targets, if they are checked: another list, of this service or another one, has
        /// another. 0 when they are not.
        var edition: UInt32 = 0
        var acceptProxyProtocol = false
        var sendProxyProtocol: ProxyVersion = .off
        var forwardedFor: Forwarding = .off
        /// What becomes of `Forwarded`, `X-Real-IP` and all that begins with `X-Forwarded-` but `-For`.
        var forwardedFields: ForwardedFields = .keep
        /// Whom it takes connections from: asked of `View.admits`.
        var access = AccessLists.open
        var limits = Limits()
        var flowLog = FlowSampling()

        enum ProxyVersion: UInt8, BitwiseCopyable { case off, v1, v2 }
        enum Forwarding: UInt8, BitwiseCopyable { case append, replace, off }
        enum ForwardedFields: UInt8, BitwiseCopyable { case keep, strip, set }
    }

    /// A service's limits on this server, all workers together, with the standard ones filled in (`ServiceLimits` says
    /// what each means). The highest number is no limit: a count reaches none, so it need not be asked for.
    struct Limits: BitwiseCopyable {
        var connections: UInt32 = .max
        var newConnections: UInt32 = .max
        var clientConnections: UInt32 = .max
        var newClientConnections: UInt32 = .max
        /// Of a request body, in bytes a second over `MinimumRate.bodyWindow` seconds; 0 for none.
        var minimumRate: UInt32 = 0
    }

    /// This server's limits on all that arrives there, whatever service it is for (`ServerLimits`).
    struct ArrivalLimits: BitwiseCopyable {
        var clientConnections: UInt32 = .max
        var newClientConnections: UInt32 = .max
        var clientOpenings: UInt32 = .max
        /// Of a hello or a request head, in bytes a second from `MinimumRate.helloGrace` seconds on; 0 for none.
        var minimumRate: UInt32 = 0
    }

    /// Which flows of a service are written down.
    struct FlowSampling: BitwiseCopyable {
        /// One in so many; 0 for none.
        var oneIn: UInt32 = 0
        /// Seconds from one line of a long flow to the next; 0 for only the one at its end.
        var interval: UInt32 = 0
    }

    /// One place that can take a service's traffic.
    struct Target: BitwiseCopyable {
        /// The endpoint's name, by slot; `monitor` for the responder inside this process.
        var name: NameSlot
        var httpPort: UInt16
        var httpsPort: UInt16
    }

    /// A client domain: where its name lies, and whose it is.
    struct Entry: BitwiseCopyable {
        var offset: Int32
        var length: Int16
        var isWildcard: Bool
        var service: Int32
    }

    struct DefaultRoute: BitwiseCopyable {
        var address: Address
        var service: Int32
    }

    /// The table as a worker reads it; valid while the table is held.
    struct View: BitwiseCopyable, Sendable {
        fileprivate let index: FrozenArray<Int32>
        fileprivate let entries: FrozenArray<Entry>
        fileprivate let names: FrozenArray<UInt8>
        fileprivate let routes: FrozenArray<Route>
        fileprivate let targets: FrozenArray<Target>
        fileprivate let defaults: FrozenArray<DefaultRoute>
        fileprivate let trusted: FrozenArray<Prefix>
        /// In their order.
        fileprivate let fleet: FrozenArray<Address>
        fileprivate let access: AccessLists
        fileprivate let seed: UInt64

        let generation: UInt64
        /// On all that arrives.
        let limits: ArrivalLimits
        /// Of connections that reach no service, as the server has it.
        let flowLog: FlowSampling

        /// Whether connections from anywhere begin with a PROXY header.
        var hasTrustedSenders: Bool { trusted.count > 0 }

        func isTrusted(_ sender: Address) -> Bool {
            for index in 0..<trusted.count where trusted[index].contains(sender) { return true }
            return false
        }

        /// Whether an address is one of the fleet's own.
        func isFleet(_ caller: Address) -> Bool {
            var (low, high) = (0, fleet.count)
            while low < high {
                let middle = (low &+ high) / 2
                if fleet[middle] < caller { low = middle &+ 1 } else { high = middle }
            }
            return low < fleet.count && fleet[low] == caller
        }

        /// Whether the service with this route takes connections from `client`.
        func admits(_ client: Address, to route: Route) -> Bool {
            access.admits(client, by: route.access)
        }

        /// The service that has `name` as an exact client domain or, failing that, through a wildcard; nil when none
        /// has.
        func service(for name: RoutingName) -> Int32? { match(name)?.service }

        /// By what a connection that asked for `name` has come to its service.
        func rule(for name: RoutingName) -> FlowRecord.Rule { name.isEmpty ? .address : match(name)?.rule ?? .address }

        @inline(__always) private func match(_ name: RoutingName) -> (service: Int32, rule: FlowRecord.Rule)? {
            if let service = find(name, from: 0, wildcard: false) { return (service, .domain) }
            guard let start = name.afterFirstLabel, let service = find(name, from: start, wildcard: true) else {
                return nil
            }
            return (service, .wildcard)
        }

        private func find(_ name: RoutingName, from start: Int, wildcard: Bool) -> Int32? {
            let mask = index.count &- 1
            var slot = Int(truncatingIfNeeded: name.hash(from: start, seed: seed)) & mask
            while true {
                let entry = index[slot]
                if entry < 0 { return nil }
                let candidate = entries[Int(entry)]
                if candidate.isWildcard == wildcard,
                    names.withSpan(Int(candidate.offset), Int(candidate.length), { name.equals($0, from: start) })
                {
                    return candidate.service
                }
                slot = (slot &+ 1) & mask
            }
        }

        func defaultService(at address: Address) -> Int32? {
            for index in 0..<defaults.count where defaults[index].address == address { return defaults[index].service }
            return nil
        }

        /// The route of a service; its `targetCount` is 0 when the table has none.
        @inline(__always) func route(_ service: Int32) -> Route {
            Int(service) < routes.count ? routes[Int(service)] : Route()
        }

        @inline(__always) func target(_ route: Route, _ index: Int) -> Target {
            targets[Int(route.firstTarget) &+ index]
        }
    }

    /// The number of this table: grows with each that is built.
    let generation: UInt64
    let view: View

    init(
        generation: UInt64, domains: [(name: [UInt8], isWildcard: Bool, service: Int32)], routes: [Route],
        targets: [Target],
        defaults: [DefaultRoute], trusted: [Prefix], fleet: Set<Address> = [],
        access: AccessLists = AccessListsBuilder().build(),
        limits: ArrivalLimits = ArrivalLimits(), flowLog: FlowSampling = FlowSampling(), seed: UInt64
    ) {
        self.generation = generation
        // At most half full, so that a look-up that finds nothing ends after a step or two.
        var size = 16
        while size < domains.count * 2 { size *= 2 }
        var index = [Int32](repeating: -1, count: size)
        var entries: [Entry] = []
        var names: [UInt8] = []
        entries.reserveCapacity(domains.count)
        for domain in domains {
            var slot = Int(truncatingIfNeeded: RoutingName.hash(domain.name.span, seed: seed)) & (size - 1)
            while index[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            index[slot] = Int32(entries.count)
            entries.append(
                Entry(
                    offset: Int32(names.count), length: Int16(domain.name.count), isWildcard: domain.isWildcard,
                    service: domain.service))
            names += domain.name
        }
        view = View(
            index: FrozenArray(index), entries: FrozenArray(entries), names: FrozenArray(names),
            routes: FrozenArray(routes),
            targets: FrozenArray(targets), defaults: FrozenArray(defaults), trusted: FrozenArray(trusted),
            fleet: FrozenArray(fleet.sorted()), access: access, seed: seed, generation: generation,
            limits: limits, flowLog: flowLog)
    }

    /// A table without a service, for before the first snapshot.
    static func empty() -> RoutingTable {
        RoutingTable(generation: 0, domains: [], routes: [], targets: [], defaults: [], trusted: [], seed: 0)
    }

    deinit {
        view.index.free()
        view.entries.free()
        view.names.free()
        view.routes.free()
        view.targets.free()
        view.defaults.free()
        view.trusted.free()
        view.fleet.free()
        view.access.free()
    }
}
