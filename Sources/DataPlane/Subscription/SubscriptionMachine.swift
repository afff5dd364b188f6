import Domain
import Wire

/// The data plane's end of the channel: what to do at each event. Pure; time and chance are passed in.
///
///     waiting ──time──▶ connecting ──connected──▶ subscribed ──lost, silent, goodbye──▶ waiting (longer each time)
///                           └──failed──▶ waiting
///
/// Whatever happens here, the snapshot that is held stays in force (invariant 1).
struct SubscriptionMachine {
    enum Action: Equatable {
        case connect
        case send(WireFrame)
        /// Make this the configuration, and tell `applied` or `refused` how it went.
        case apply(Snapshot)
        case command(WireCommand)
        /// The control plane has certified the key that was last asked for.
        case install(WireCertificate)
        /// The configuration that came was not taken; for the log.
        case reportRefusal(SnapshotVersion, [String])
        /// Close the connection and say why in the log.
        case disconnect(String)
    }

    private enum State: Equatable {
        case waiting(until: UInt64)
        case connecting(until: UInt64)
        case subscribed(heard: UInt64, sent: UInt64, since: UInt64)
    }

    /// Between attempts to connect: full jitter below a bound that doubles from 200 ms to 5 s, so that a fleet does not
    /// come back as one.
    static let shortestBackoff: UInt64 = 200
    static let longestBackoff: UInt64 = 5000
    /// For finding the address, connecting, and TLS: five round trips, of which a bad link may lose some.
    static let connectPatience: UInt64 = 10_000
    /// After a session of this length the next attempt need not wait long.
    static let goodSession: UInt64 = 10_000

    private let server: ServerName
    private let softwareVersion: String
    private let bootID: String
    private var state = State.waiting(until: 0)
    private var failures: UInt64 = 0
    /// The configuration in force.
    private(set) var held: Snapshot?
    /// An operator has said that the next configuration is to be taken, wherever it comes from (invariant 3); for this
    /// session only.
    private var takesAnything = false

    init(server: ServerName, softwareVersion: String, bootID: String) {
        self.server = server
        self.softwareVersion = softwareVersion
        self.bootID = bootID
    }

    var isSubscribed: Bool {
        if case .subscribed = state { true } else { false }
    }

    /// Asks what the passing of time brings. `chance` is from 0 up to 1.
    mutating func passed(now: UInt64, chance: Double) -> [Action] {
        let interval = UInt64(ChannelRules.heartbeatInterval.milliseconds)
        switch state {
        case .waiting(let until):
            guard now >= until else { return [] }
            state = .connecting(until: now + SubscriptionMachine.connectPatience)
            return [.connect]
        case .connecting(let until):
            guard now >= until else { return [] }
            return lost("no answer to the connection", now: now, chance: chance)
        case .subscribed(let heard, let sent, _):
            if now - heard > interval * UInt64(ChannelRules.heartbeatsMissed) {
                return lost("the control plane has been silent for \(now - heard) ms", now: now, chance: chance)
            }
            guard now - sent >= interval else { return [] }
            return [send(.heartbeat, now: now)]
        }
    }

    /// When `passed` will have something to say, if nothing else happens.
    var nextEvent: UInt64 {
        let interval = UInt64(ChannelRules.heartbeatInterval.milliseconds)
        return switch state {
        case .waiting(let until), .connecting(let until): until
        case .subscribed(let heard, let sent, _):
            min(heard + interval * UInt64(ChannelRules.heartbeatsMissed) + 1, sent + interval)
        }
    }

    mutating func connected(now: UInt64) -> [Action] {
        state = .subscribed(heard: now, sent: now, since: now)
        let hello = Hello(
            server: server, softwareVersion: softwareVersion, holding: held.map(Hello.Holding.init), bootID: bootID)
        return [send(.hello(hello), now: now)]
    }

    /// The connection failed or ended.
    mutating func disconnected(_ reason: String, now: UInt64, chance: Double) -> [Action] {
        lost(reason, now: now, chance: chance)
    }

    /// Something has come, if only a part of a frame: a whole snapshot may take long on a slow link.
    mutating func heard(now: UInt64) {
        guard case .subscribed(_, let sent, let since) = state else { return }
        state = .subscribed(heard: now, sent: sent, since: since)
    }

    mutating func received(_ frame: WireFrame, now: UInt64, chance: Double) -> [Action] {
        guard isSubscribed else { return [] }
        heard(now: now)
        switch frame.message {
        case .snapshot(let message):
            do {
                let snapshot = try SnapshotContent(message).applied(to: takesAnything ? nil : held)
                let named = snapshot.settings.server.name
                guard named == server else {
                    let reason = "version \(snapshot.version) is of server \(named), but this is server \(server)"
                    return refused(snapshot.version, [reason], now: now)
                }
                return [.apply(snapshot)]
            } catch {
                return refused(SnapshotVersion(message.version), error.reasons, now: now)
            }
        case .command(let command):
            if case .accept? = command.command { takesAnything = true }
            return [.command(command)]
        case .certificate(let certificate): return [.install(certificate)]
        case .heartbeat: return []
        case .goodbye(let goodbye): return lost("the control plane says: \(goodbye.reason)", now: now, chance: chance)
        case .hello, .applied, .refused, .observation, .enroll, .certificateRequest, nil:
            return lost("the control plane sent a message that only a data plane sends", now: now, chance: chance)
        }
    }

    /// The workers route by `snapshot`.
    mutating func applied(_ snapshot: Snapshot, now: UInt64) -> [Action] {
        held = snapshot
        takesAnything = false
        return isSubscribed ? [send(.applied(snapshot.version), now: now)] : []
    }

    /// The configuration could not be taken; the one before stays in force.
    mutating func refused(_ version: SnapshotVersion, _ reasons: [String], now: UInt64) -> [Action] {
        [.reportRefusal(version, reasons)] + (isSubscribed ? [send(.refused(version, reasons: reasons), now: now)] : [])
    }

    /// An answer to a command, or an observation.
    mutating func observed(_ frame: WireFrame, now: UInt64) -> [Action] {
        isSubscribed ? [send(frame, now: now)] : []
    }

    private mutating func send(_ frame: WireFrame, now: UInt64) -> Action {
        if case .subscribed(let heard, _, let since) = state {
            state = .subscribed(heard: heard, sent: now, since: since)
        }
        return .send(frame)
    }

    private mutating func lost(_ reason: String, now: UInt64, chance: Double) -> [Action] {
        if case .waiting = state { return [] }
        takesAnything = false
        // A session that ends soon after it began is no success, whatever it brought: another server may go by our
        // name.
        if case .subscribed(_, _, let since) = state, now - since >= SubscriptionMachine.goodSession { failures = 0 }
        let bound = min(SubscriptionMachine.shortestBackoff << min(failures, 10), SubscriptionMachine.longestBackoff)
        failures += 1
        state = .waiting(until: now + UInt64(Double(bound) * min(max(chance, 0), 1)) + 20)
        return [.disconnect(reason)]
    }
}
