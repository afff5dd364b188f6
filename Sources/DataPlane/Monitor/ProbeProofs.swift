import Domain
import Syscalls

/// Judges the tokens that requests to the monitor endpoint show, and remembers those that were good, since each is good
/// once. Pure; time is passed in.
struct ProbeProofs {
    /// What a server needs to know a probe of its fleet.
    struct Secret: Equatable {
        let server: ServerName
        let key: ProbeKey
    }

    /// A hundred vantages' worth of probes for as long as a token is good. Only genuine tokens are remembered, so a
    /// stranger cannot fill it. When it is full, no more tokens are taken, and probes are answered as strangers.
    static let mostRemembered = 65_536
    /// In milliseconds, how long a nonce is remembered: a token may be from the future by one window, and good until
    /// one window behind its time. This is counted by the monotonic clock, whatever the other one does.
    private static let memory = 2 * ProbeToken.window * 1000 + 1000
    /// Milliseconds between two looks at what can be forgotten.
    private static let sweepInterval: UInt64 = 10_000

    private let mostRemembered: Int
    /// When each came.
    private var nonces: [UInt128: UInt64] = [:]
    private var nextSweep: UInt64 = 0

    init(mostRemembered: Int = ProbeProofs.mostRemembered) { self.mostRemembered = mostRemembered }

    var remembered: Int { nonces.count }

    /// Who probes, when the value of the field is a token that nobody has shown before. `seconds` since 1970; `now` in
    /// milliseconds of the monotonic clock.
    mutating func vantage(
        of value: String, by secret: Secret, seconds: UInt64, now: UInt64, authenticate: ProbeToken.Authentication
    ) -> String? {
        guard let token = ProbeToken(value), token.isTimely(at: seconds),
            token.isGenuine(for: secret.server, key: secret.key, authenticate: authenticate)
        else { return nil }
        sweep(now)
        guard nonces[token.nonce] == nil, nonces.count < mostRemembered else { return nil }
        nonces[token.nonce] = now
        return token.vantage
    }

    private mutating func sweep(_ now: UInt64) {
        guard now >= nextSweep else { return }
        nextSweep = now &+ ProbeProofs.sweepInterval
        nonces = nonces.filter { now &- $0.value < ProbeProofs.memory }
    }
}

/// The addresses whose callers are known to the monitor endpoint: the fleet's own, and those of probers that have
/// proved themselves lately. Pure; time is passed in, in milliseconds.
struct KnownCallers {
    /// More probers than any fleet has. The one that was proved longest ago gives way.
    static let mostProved = 512
    /// A worker is told again in good time, and not with every probe.
    private static let reminder: UInt64 = 60_000

    /// Of the snapshot in force.
    var fleet: Set<Address> = []
    private var proved: [Address: UInt64] = [:]

    func contains(_ address: Address, now: UInt64) -> Bool {
        if fleet.contains(address) { return true }
        return proved[address].map { now &- $0 < MonitorGate.knownFor } ?? false
    }

    /// An address has proved itself. Whether the workers are to be told.
    mutating func prove(_ address: Address, now: UInt64) -> Bool {
        if let last = proved[address], now &- last < KnownCallers.reminder { return false }
        if proved[address] == nil, proved.count >= KnownCallers.mostProved,
            let oldest = proved.min(by: { $0.value < $1.value })
        {
            proved[oldest.key] = nil
        }
        proved[address] = now
        return true
    }
}
