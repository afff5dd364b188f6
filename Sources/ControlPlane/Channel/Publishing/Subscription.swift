import Domain
import Wire

/// What one data plane has, what is on its way to it, and so what it needs next.
///
/// At most one snapshot is on its way; while it is, newer versions only replace each other, so a slow data plane gets
/// the newest rather than a queue of old ones.
struct Subscription: Sendable {
    enum Need: Equatable {
        case nothing
        case difference(from: Hello.Holding)
        case whole
        /// The data plane said why it will not have this version either; sending it again would only cost.
        case standingRefusal(reasons: [String])
    }

    private let incarnation: Incarnation
    /// What the data plane serves with; nil when it has nothing.
    private(set) var holding: Hello.Holding?
    /// What is on its way: sent, or being made.
    private(set) var inFlight: (version: SnapshotVersion, digest: Digest, isWhole: Bool)?
    /// The newest version that the data plane has answered in this session.
    private var answered: SnapshotVersion?
    private var lastRefusal: [String]?
    /// A difference was refused: the next snapshot is whole, in case that it was the difference that did not fit.
    private var wantsWhole = false

    /// Whether nothing of this session has been answered yet.
    var isFresh: Bool { answered == nil && lastRefusal == nil }

    init(incarnation: Incarnation, holding: Hello.Holding?) {
        self.incarnation = incarnation
        self.holding = holding
    }

    /// Whether what the data plane has could never become a version of ours: it is of another store, or from our future
    /// (the store was restored from an old copy). Invariant 3: it refuses, until a person decides.
    private func isBeyond(_ newest: SnapshotVersion) -> Bool {
        guard let holding else { return false }
        return holding.incarnation != incarnation || holding.version > newest
    }

    /// What the data plane needs, the newest version being `newest`.
    func need(newest: SnapshotVersion) -> Need {
        guard inFlight == nil else { return .nothing }
        if let answered, answered >= newest { return .nothing }
        if isBeyond(newest) { return lastRefusal.map { .standingRefusal(reasons: $0) } ?? .whole }
        guard let holding, !wantsWhole else { return .whole }
        return .difference(from: holding)
    }

    mutating func sending(_ version: SnapshotVersion, digest: Digest, isWhole: Bool) {
        inFlight = (version, digest, isWhole)
    }

    /// The data plane says that it has applied `version`. False when that is not what is on its way.
    mutating func applied(_ version: SnapshotVersion) -> Bool {
        guard let sent = inFlight, sent.version == version else { return false }
        holding = Hello.Holding(incarnation: incarnation, version: version, digest: sent.digest)
        answered = version
        inFlight = nil
        lastRefusal = nil
        wantsWhole = false
        return true
    }

    /// The data plane says that it will not have `version`. False when that is not what is on its way.
    mutating func refused(_ version: SnapshotVersion, reasons: [String]) -> Bool {
        guard let sent = inFlight, sent.version == version else { return false }
        // A refused difference is not the last word on a version: everything is sent once before that.
        if sent.isWhole { answered = version }
        wantsWhole = !sent.isWhole
        inFlight = nil
        lastRefusal = reasons
        return true
    }

    /// An operator has told the data plane to take what comes: everything is sent, whatever it has and has said before.
    mutating func startOver() {
        holding = nil
        answered = nil
        lastRefusal = nil
        wantsWhole = false
    }

    /// Takes `version` as refused without sending it, because of a standing refusal.
    mutating func presumeRefused(_ version: SnapshotVersion) { answered = version }
}
