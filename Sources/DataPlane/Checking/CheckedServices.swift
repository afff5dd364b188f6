import Domain
import Logging

/// The services whose endpoints are checked: how their targets stand, what of that the workers and the operator are to
/// be told.
struct CheckedServices {
    private struct Entry {
        let service: CheckedService
        var health: TargetHealth
        /// For when it stands in the queue of hold-downs.
        var wake: UInt64?
    }

    /// When an origin of thousands of services falls, that is not worth thousands of lines.
    private static let mostLines = 20
    private static let complaintInterval: UInt64 = 60_000

    private let logger: Logger
    private var entries: [Int32: Entry] = [:]
    private var holdDowns = DueQueue()
    private var preferences: [(slot: Int32, preference: TargetPreference)] = []
    private var isChanged = true
    private var lines = 0
    private var linesLeftOut = 0
    private var nextLines: UInt64 = 0
    private var nextComplaint: UInt64 = 0

    init(logger: Logger) { self.logger = logger }

    /// When `passed` may have something to do.
    var nextEvent: UInt64? { holdDowns.first }

    /// Looks after these services from now on, and keeps what it knows of them.
    mutating func replace(by list: [CheckedService], now: UInt64) {
        let before = entries
        entries = Dictionary(minimumCapacity: list.count)
        isChanged = true
        for service in list {
            let rules = TargetHealth.Rules(service.check)
            guard let known = before[service.slot], known.service.name == service.name else {
                let health = TargetHealth(count: service.targets.count, rules: rules)
                entries[service.slot] = Entry(service: service, health: health)
                continue
            }
            guard known.service != service else {
                entries[service.slot] = known
                continue
            }
            if known.service.edition == service.edition {
                let health = TargetHealth(known.health, rules: rules)
                entries[service.slot] = Entry(service: service, health: health)
                decide(service.slot, from: known.health.preferred, now: now)
            } else {
                let origins = service.targets.map { target in
                    known.service.targets.firstIndex { $0.target == target.target }
                }
                let health = TargetHealth(known.health, origins: origins, rules: rules)
                entries[service.slot] = Entry(service: service, health: health)
                // Where workers begin with a list that is new to them.
                decide(service.slot, from: 0, now: now)
            }
        }
    }

    /// A check of a target has ended, and something can be told of it.
    mutating func checked(_ slot: Int32, target: Int, _ outcome: CheckRound.Outcome, now: UInt64) {
        guard let entry = entries[slot], entry.service.targets.indices.contains(target) else { return }
        let preferred = entry.health.preferred
        let change = entries[slot]?.health.checked(target, isWell: outcome == .well, now: now)
        if let change {
            isChanged = true
            log(change, target, of: entry.service, outcome, now: now)
        }
        decide(slot, from: preferred, now: now)
    }

    /// Time has passed: hold-downs may have ended.
    mutating func passed(now: UInt64) {
        if linesLeftOut > 0 { tellLeftOut(now: now) }
        while let (slot, time) = holdDowns.popFirst(before: now) {
            guard let entry = entries[slot], entry.wake == time else { continue }
            entries[slot]?.wake = nil
            entries[slot]?.health.passed(now: now)
            decide(slot, from: entry.health.preferred, now: now)
        }
    }

    /// Which preferences have changed since the last time, in the order in which they have.
    mutating func takePreferences() -> [(slot: Int32, preference: TargetPreference)] {
        defer { preferences = [] }
        return preferences
    }

    /// How every target stands, by the names of the services; nil when that has not changed since the last time.
    mutating func takeStanding() -> [ServiceHealth]? {
        guard isChanged else { return nil }
        isChanged = false
        return entries.values.sorted { $0.service.name < $1.service.name }.map { entry in
            ServiceHealth(
                service: entry.service.name.text, preferred: entry.health.preferred,
                targets: entry.service.targets.enumerated().map { index, target in
                    ServiceHealth.Target(name: target.target.text, isHealthy: entry.health.isHealthy(index))
                })
        }
    }

    /// Tells of a preference that has changed, and sees to the end of the next hold-down.
    private mutating func decide(_ slot: Int32, from before: Int, now: UInt64) {
        guard let entry = entries[slot] else { return }
        if let next = entry.health.nextEvent, entry.wake != next {
            entries[slot]?.wake = next
            holdDowns.insert(slot, at: next)
        }
        let preferred = entry.health.preferred
        guard preferred != before else { return }
        isChanged = true
        preferences.append(
            (slot, TargetPreference(edition: entry.service.edition, target: Int32(truncatingIfNeeded: preferred))))
        guard mayLog(now: now) else { return }
        let metadata: Logger.Metadata = [
            "service": "\(entry.service.name)", "target": "\(entry.service.targets[preferred].target.text)",
        ]
        if preferred > 0 {
            logger.warning("New connections go to a fallback", metadata: metadata)
        } else if entry.health.hasHealthy {
            logger.notice("New connections go to the endpoint again", metadata: metadata)
        } else {
            logger.warning(
                "No target of an endpoint is healthy; new connections try all of them in order", metadata: metadata)
        }
    }

    // MARK: The log

    private mutating func log(
        _ change: TargetHealth.Change, _ target: Int, of service: CheckedService, _ outcome: CheckRound.Outcome,
        now: UInt64
    ) {
        guard mayLog(now: now) else { return }
        var metadata: Logger.Metadata = [
            "service": "\(service.name)", "target": "\(service.targets[target].target.text)",
            "check": "\(service.check.kind.rawValue)",
        ]
        if case .failed(let reason) = outcome { metadata["reason"] = "\(reason)" }
        switch change {
        case .fell: logger.warning("A target of an endpoint is unhealthy", metadata: metadata)
        case .rose: logger.notice("A target of an endpoint is healthy again", metadata: metadata)
        }
    }

    private mutating func mayLog(now: UInt64) -> Bool {
        tellLeftOut(now: now)
        lines += 1
        if lines > CheckedServices.mostLines { linesLeftOut += 1 }
        return lines <= CheckedServices.mostLines
    }

    /// Says, once a second has passed, how many lines were left out in it.
    private mutating func tellLeftOut(now: UInt64) {
        guard now >= nextLines else { return }
        if linesLeftOut > 0 {
            logger.warning(
                "More targets of endpoints have changed than the log tells", metadata: ["leftOut": "\(linesLeftOut)"])
        }
        (lines, linesLeftOut) = (0, 0)
        nextLines = now + 1000
    }

    /// Says why checks could not be made properly; now and then.
    mutating func complain(_ reason: String, now: UInt64) {
        guard now >= nextComplaint else { return }
        nextComplaint = now + CheckedServices.complaintInterval
        logger.warning(
            "An endpoint could not be checked properly, so its health stays as it is", metadata: ["reason": "\(reason)"]
        )
    }
}
