import Domain
import Wire

/// How long a session may be silent, and how long it may keep us from being heard.
struct SessionLimits: Sendable {
    var helloDeadline = ChannelRules.helloDeadline
    var heartbeatInterval = ChannelRules.heartbeatInterval
    var heartbeatsMissed = ChannelRules.heartbeatsMissed
    /// For how long a data plane may leave a frame unread. A whole snapshot of 100,000 services takes ten seconds at 20
    /// Mbit/s.
    var sendDeadline = Duration.seconds(30)
    /// For how long a data plane may be silent while it applies a snapshot of more than `bigSnapshot` octets: the
    /// thread that applies is the one that sends heartbeats, and must not be taken for dead because it works. (A data
    /// plane that dies closes its socket; silence is what is left when its machine dies.)
    var silenceWhileApplying = Duration.seconds(30)
    /// For how long a data plane may go on without answering a snapshot: one that only beats would be thought of as up
    /// to date for ever.
    var answerDeadline = Duration.seconds(60)
    /// For how long an answer waits for a server that has only just lost its session: a data plane is back within the
    /// longest of its first few attempts to connect.
    var returnPatience = Duration.seconds(3)
    /// 64 KiB: some five hundred services, which are applied in milliseconds.
    var bigSnapshot = 64 << 10

    /// The silence after which a session without a snapshot on its way is dead.
    var silence: Duration { heartbeatInterval * heartbeatsMissed }
}

/// Decides what becomes of one session: who it is, what it is sent, and when it ends. It does no I/O; the time is
/// passed in.
///
///     awaitingHello ──hello──▶ known ⟲ applied, refused, observation, heartbeat, certificate request
///           │  └──enroll──▶ enrolling      │
///           └──────── end ◀───┴────────────┘   deadline, silence, nonsense, goodbye, replaced, revoked, shutdown
struct SessionMachine: Sendable {
    enum Action: Equatable {
        /// Find out whether we know this server, and call `accepted` or `end`.
        case identify(Hello)
        /// Make what `need` says and call `sending`.
        case sendSnapshot
        case heartbeat
        case reportApplied(SnapshotVersion)
        case reportRefused(SnapshotVersion, reasons: [String])
        /// A difference was refused, which is not the last word on its version: call `published`, and everything is
        /// sent.
        case retryWhole(SnapshotVersion, reasons: [String])
        case observe(WireObservation)
        /// Give the server that has this token its first certificate.
        case enroll(token: String, request: [UInt8])
        /// Give its next certificate to the server of the session.
        case renew(request: [UInt8])
        case end(Ending)
    }

    /// Why a session ends, for the log, and for the other side unless it is the one that ended it.
    struct Ending: Equatable {
        let reason: String
        let saysGoodbye: Bool
        /// A session that ends as it should is no warning.
        let isOrderly: Bool
        /// What it did that we do not allow; nil when it ends for other reasons.
        let refusal: ChannelRefusal?
    }

    private enum State {
        case awaitingHello
        case enrolling
        case identifying(Hello)
        case known(Subscription)
        case ended
    }

    private let limits: SessionLimits
    private let opened: ContinuousClock.Instant
    private(set) var peer: ChannelPeer
    private var state = State.awaitingHello
    private(set) var lastHeard: ContinuousClock.Instant
    /// How many octets the snapshot on its way has; 0 until it has been made.
    private var octetsInFlight = 0
    /// Since when the snapshot on its way waits for its answer.
    private var inFlightSince: ContinuousClock.Instant?
    /// Since when a frame waits to be read by the other side.
    private var sendingSince: ContinuousClock.Instant?

    init(limits: SessionLimits, peer: ChannelPeer = .local, at now: ContinuousClock.Instant) {
        self.limits = limits
        self.peer = peer
        opened = now
        lastHeard = now
    }

    var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// What the data plane should be sent, the newest version being `newest`.
    func need(newest: SnapshotVersion) -> Subscription.Need {
        if case .known(let subscription) = state { subscription.need(newest: newest) } else { .nothing }
    }

    /// Whether the data plane has not answered anything in this session.
    var isFresh: Bool {
        if case .known(let subscription) = state { subscription.isFresh } else { true }
    }

    // MARK: What happens

    /// The TLS handshake is complete, and told us who it is.
    mutating func authenticated(_ peer: ChannelPeer) { self.peer = peer }

    mutating func received(_ frame: WireFrame, at now: ContinuousClock.Instant) -> [Action] {
        lastHeard = now
        switch (state, frame.message) {
        case (.ended, _): return []
        // Of a kind that a later release may send: what it means is not for us.
        case (_, nil): return []
        case (.awaitingHello, .hello(let message)): return received(message)
        case (.awaitingHello, .enroll(let message)): return received(message)
        case (.awaitingHello, _): return end("the first frame was no Hello", refusal: .hello)
        case (_, .hello): return end("a second Hello", refusal: .frame)
        case (_, .goodbye(let goodbye)):
            return end("the data plane said goodbye: \(goodbye.reason)", saysGoodbye: false, isOrderly: true)
        case (_, .heartbeat): return []
        case (.enrolling, _): return end("a frame before the answer to Enroll", refusal: .frame)
        case (.identifying, _): return end("a frame before the answer to Hello", refusal: .frame)
        case (.known(let subscription), .applied(let message)):
            return applied(SnapshotVersion(message.version), subscription)
        case (.known(let subscription), .refused(let message)):
            return refused(SnapshotVersion(message.version), reasons: Self.bounded(message.reasons), subscription)
        case (.known, .observation(let observation)): return [.observe(observation)]
        case (.known, .certificateRequest(let message)):
            guard case .certified = peer else {
                return end("a request for a certificate in a session that needs none", refusal: .frame)
            }
            return [.renew(request: message.octets)]
        case (.known, .enroll): return end("an Enroll in a session", refusal: .frame)
        case (.known, .snapshot), (.known, .command), (.known, .certificate):
            return end("a frame that only the control plane sends", refusal: .frame)
        }
    }

    /// We know the server that said Hello.
    mutating func accepted(incarnation: Incarnation, newest: SnapshotVersion) -> [Action] {
        guard case .identifying(let hello) = state else { return [] }
        state = .known(Subscription(incarnation: incarnation, holding: hello.holding))
        return published(newest)
    }

    /// There is a version that may be newer than what the data plane has.
    mutating func published(_ newest: SnapshotVersion) -> [Action] {
        guard case .known(var subscription) = state else { return [] }
        switch subscription.need(newest: newest) {
        case .nothing: return []
        case .difference, .whole: return [.sendSnapshot]
        case .standingRefusal(let reasons):
            subscription.presumeRefused(newest)
            state = .known(subscription)
            return [.reportRefused(newest, reasons: reasons)]
        }
    }

    /// The data plane has been told to take whatever comes next.
    mutating func accepting(newest: SnapshotVersion) -> [Action] {
        guard case .known(var subscription) = state else { return [] }
        subscription.startOver()
        state = .known(subscription)
        return published(newest)
    }

    /// A snapshot is being made and sent.
    mutating func sending(_ version: SnapshotVersion, digest: Digest, isWhole: Bool) {
        guard case .known(var subscription) = state else { return }
        subscription.sending(version, digest: digest, isWhole: isWhole)
        state = .known(subscription)
        octetsInFlight = 0
        inFlightSince = nil
    }

    /// The snapshot on its way has been made, and has so many octets.
    mutating func made(octets: Int, at now: ContinuousClock.Instant) {
        octetsInFlight = octets
        inFlightSince = now
        lastHeard = max(lastHeard, now)
    }

    /// The snapshot on its way could not be made; it counts as refused, by us.
    mutating func notMade(reasons: [String]) -> [Action] {
        guard case .known(let subscription) = state, let version = subscription.inFlight?.version else { return [] }
        return refused(version, reasons: reasons, subscription)
    }

    /// A peer's words as we keep and show them: not too many, not too long, and each on one line.
    private static func bounded(_ reasons: [String]) -> [String] {
        reasons.prefix(100).map { reason in String(reason.prefix(500).map { $0.isNewline ? " " : $0 }) }
    }

    mutating func beganSending(at now: ContinuousClock.Instant) { sendingSince = now }

    mutating func finishedSending() { sendingSince = nil }

    /// Once every heartbeat interval.
    mutating func tick(at now: ContinuousClock.Instant) -> [Action] {
        switch state {
        case .ended: return []
        case .awaitingHello, .identifying:
            guard now - opened >= limits.helloDeadline else { return [] }
            return end("no Hello within \(limits.helloDeadline)", refusal: .hello)
        case .enrolling:
            guard now - lastHeard >= limits.answerDeadline else { return [] }
            return end("it goes on after Enroll", refusal: .frame)
        case .known(let subscription):
            if let sendingSince, now - sendingSince >= limits.sendDeadline {
                return end("nothing was read for \(limits.sendDeadline)", saysGoodbye: false)
            }
            if subscription.inFlight != nil, let inFlightSince, now - inFlightSince >= limits.answerDeadline {
                return end("a snapshot was not answered for \(limits.answerDeadline)")
            }
            let isApplying = subscription.inFlight != nil && octetsInFlight > limits.bigSnapshot
            let patience = isApplying ? max(limits.silence, limits.silenceWhileApplying) : limits.silence
            guard now - lastHeard < patience else { return end("nothing was heard for \(patience)") }
            return [.heartbeat]
        }
    }

    /// The connection is gone.
    mutating func disconnected() -> [Action] {
        end("the connection was closed", saysGoodbye: false, isOrderly: true)
    }

    mutating func end(
        _ reason: String, saysGoodbye: Bool = true, isOrderly: Bool = false, refusal: ChannelRefusal? = nil
    ) -> [Action] {
        guard !hasEnded else { return [] }
        state = .ended
        return [.end(Ending(reason: reason, saysGoodbye: saysGoodbye, isOrderly: isOrderly, refusal: refusal))]
    }

    // MARK: What follows

    private mutating func received(_ message: WireHello) -> [Action] {
        // Looked at first: what else a Hello of another version says may mean something else.
        guard message.protocolVersion == ChannelRules.protocolVersion else {
            return endForVersion(message.protocolVersion)
        }
        let hello: Hello
        do {
            hello = try Hello(message)
        } catch {
            return end("an invalid Hello: \(error)", refusal: .hello)
        }
        switch peer {
        case .local: break
        case .unknown, .anonymous:
            return end("a Hello without a certificate; expected one that enrollment gave", refusal: .certificate)
        case .certified(let server):
            // A session speaks for the server that its certificate names, and for no other.
            guard server == hello.server else {
                return end(
                    "its certificate is of server \(server), but it says that it is server \(hello.server)",
                    refusal: .certificate)
            }
        }
        state = .identifying(hello)
        return [.identify(hello)]
    }

    private mutating func received(_ message: WireEnroll) -> [Action] {
        guard message.protocolVersion == ChannelRules.protocolVersion else {
            return endForVersion(message.protocolVersion)
        }
        guard peer == .anonymous else {
            return end(
                "an Enroll from who needs none; expected a connection over TCP without a certificate", refusal: .hello)
        }
        state = .enrolling
        return [.enroll(token: message.token, request: message.requestOctets)]
    }

    private mutating func endForVersion(_ version: UInt32) -> [Action] {
        end("it speaks protocol version \(version); expected \(ChannelRules.protocolVersion)", refusal: .hello)
    }

    private mutating func applied(_ version: SnapshotVersion, _ subscription: Subscription) -> [Action] {
        var subscription = subscription
        guard subscription.applied(version) else {
            return end("it applied version \(version), which was not on its way")
        }
        state = .known(subscription)
        return [.reportApplied(version)]
    }

    private mutating func refused(
        _ version: SnapshotVersion, reasons: [String], _ subscription: Subscription
    ) -> [Action] {
        var subscription = subscription
        let wasWhole = subscription.inFlight?.isWhole == true
        guard subscription.refused(version, reasons: reasons) else {
            return end("it refused version \(version), which was not on its way")
        }
        state = .known(subscription)
        return [wasWhole ? .reportRefused(version, reasons: reasons) : .retryWhole(version, reasons: reasons)]
    }
}
