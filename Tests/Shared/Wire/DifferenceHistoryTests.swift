import Domain
import Testing
import Wire

@Suite struct `Random histories` {
    /// A server's configuration through many versions, some of which change nothing.
    static func history(seed: UInt64, length: Int) throws -> [Snapshot] {
        var generator = SeededGenerator(seed: seed)
        var services: [ServiceName: Carriage] = [try Sample.name(0): try Sample.carriage(0)]
        var settingsSeed = 0
        return try (1...length).map { version in
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                let number = Int.random(in: 0..<30, using: &generator)
                let name = try Sample.name(number)
                // service-0 stays, since it is the default service of an address.
                if number > 0, services[name] != nil, Bool.random(using: &generator) {
                    services[name] = nil
                } else {
                    services[name] = try Sample.carriage(number, seed: Int.random(in: 0..<50, using: &generator))
                }
            }
            if Int.random(in: 0..<5, using: &generator) == 0 { settingsSeed += 1 }
            return try Snapshot(
                incarnation: Sample.incarnation, version: SnapshotVersion(UInt64(version)),
                settings: Sample.settings(seed: settingsSeed), services: services)
        }
    }

    /// What a data plane makes of `frame`, from its octets on.
    static func received(_ message: WireSnapshot, by current: Snapshot?) throws -> Snapshot {
        let bytes = try FrameEncoder(longestFrame: ChannelRules.longestFrameDown).encoded(.snapshot(message))
        let frame = try #require(try frames(of: bytes, inPiecesOf: 1 << 16).first)
        return try SnapshotContent(frame.snapshot).applied(to: current)
    }

    @Test(arguments: 0..<40)
    func `lead to the same whole by differences as by whole snapshots`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let history = try `Random histories`.history(seed: UInt64(seed), length: 30)
        var current = try `Random histories`.received(WireSnapshot(history[0]), by: nil)
        var index = 0
        while index < history.count - 1 {
            // A slow server misses some versions.
            index = min(history.count - 1, index + Int.random(in: 1...4, using: &generator))
            let target = history[index]
            let difference = target.difference(from: current)
            let message = WireSnapshot(difference, digest: target.digest, incarnation: target.incarnation)
            current = try `Random histories`.received(message, by: current)
            #expect(current == target)
            #expect(try `Random histories`.received(WireSnapshot(target), by: nil) == current)
        }
    }
}
