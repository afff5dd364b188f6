import Domain
import Syscalls
import Testing

@testable import DataPlane

@Suite struct `The proofs of probes` {
    private let secret: ProbeProofs.Secret
    private let noon: UInt64 = 1_800_000_000

    init() throws {
        secret = ProbeProofs.Secret(
            server: try ServerName("za1"), key: try #require(ProbeKey(octets: Array(1...32))))
    }

    private static func authenticate(_ octets: [UInt8], _ key: ProbeKey) -> [UInt8] {
        Authentication.hmac(octets, key: key.octets)
    }

    private func token(_ time: UInt64, nonce: UInt128, for server: String = "za1") throws -> String {
        ProbeToken(
            of: "ie1", for: try ServerName(server), time: time, nonce: nonce, key: secret.key,
            authenticate: Self.authenticate
        ).value
    }

    private func vantage(
        _ proofs: inout ProbeProofs, _ value: String, seconds: UInt64, now: UInt64 = 0
    ) -> String? {
        proofs.vantage(of: value, by: secret, seconds: seconds, now: now, authenticate: Self.authenticate)
    }

    @Test func `tell whose probe it is, once for each token`() throws {
        var proofs = ProbeProofs()
        let value = try token(noon, nonce: 1)
        #expect(vantage(&proofs, value, seconds: noon) == "ie1")
        #expect(vantage(&proofs, value, seconds: noon) == nil)
        #expect(vantage(&proofs, try token(noon, nonce: 2), seconds: noon) == "ie1")
    }

    @Test func `a token that somebody has seen is good for nobody, for as long as its time is`() throws {
        var proofs = ProbeProofs()
        // From a clock that is ahead by as much as it may be: it is timely for six minutes.
        let value = try token(noon + ProbeToken.window, nonce: 1)
        #expect(vantage(&proofs, value, seconds: noon, now: 0) == "ie1")
        for second in UInt64(0)...400 {
            #expect(vantage(&proofs, value, seconds: noon + second, now: second * 1000) == nil)
        }
    }

    @Test func `a clock that is off by more makes a stranger`() throws {
        var proofs = ProbeProofs()
        for time in [noon - 181, noon + 181, 0, .max] {
            #expect(vantage(&proofs, try token(time, nonce: 1), seconds: noon) == nil)
        }
        #expect(proofs.remembered == 0)
    }

    @Test func `what is no token, or for another server, is remembered by nobody`() throws {
        var proofs = ProbeProofs()
        for value in ["", "v1 ie1 1 2 3", try token(noon, nonce: 1, for: "za2")] {
            #expect(vantage(&proofs, value, seconds: noon) == nil)
        }
        #expect(proofs.remembered == 0)
    }

    @Test func `the memory is bounded, and is free again when tokens are worthless`() throws {
        var proofs = ProbeProofs(mostRemembered: 100)
        for nonce: UInt128 in 0..<150 {
            let isTaken = vantage(&proofs, try token(noon, nonce: nonce), seconds: noon) != nil
            #expect(isTaken == (nonce < 100))
        }
        // One that was shown before the memory was full is still nobody's.
        #expect(vantage(&proofs, try token(noon, nonce: 1), seconds: noon) == nil)
        let later = 2 * ProbeToken.window + 20
        #expect(
            vantage(&proofs, try token(noon + later, nonce: 500), seconds: noon + later, now: later * 1000) == "ie1")
        #expect(proofs.remembered == 1)
    }
}

@Suite struct `Known callers` {
    private func address(_ number: UInt32) -> Address { Address(ipv4: 0xCB00_7100 &+ number) }

    @Test func `are the fleet's own, and those that have proved themselves, for hours`() {
        var callers = KnownCallers()
        callers.fleet = [address(1)]
        #expect(callers.contains(address(1), now: 0))
        #expect(!callers.contains(address(2), now: 0))
        let isNews = callers.prove(address(2), now: 0)
        #expect(isNews)
        #expect(callers.contains(address(2), now: MonitorGate.knownFor - 1))
        #expect(!callers.contains(address(2), now: MonitorGate.knownFor))
    }

    @Test func `the workers are told again in good time, and not with every probe`() {
        var callers = KnownCallers()
        var told = 0
        for second: UInt64 in 0..<3600 where callers.prove(address(2), now: second * 1000) { told += 1 }
        #expect(told == 60)
    }

    @Test func `are no more than there is memory for, the newest ones`() {
        var callers = KnownCallers()
        for number: UInt32 in 0..<2000 { _ = callers.prove(address(number), now: UInt64(number)) }
        #expect(callers.contains(address(1999), now: 2000))
        #expect(!callers.contains(address(0), now: 2000))
    }
}
