import Domain
import Testing
import Wire

@Suite struct `Frames` {
    static let encoder = FrameEncoder(longestFrame: ChannelRules.longestFrameDown)

    /// One frame of each kind.
    static func everyKind() throws -> [WireFrame] {
        let snapshot = try Sample.snapshot()
        let hello = Hello(
            server: try ServerName("za1"), softwareVersion: "1.2.3", holding: Hello.Holding(snapshot), bootID: "b00t")
        var command = WireCommand()
        command.id = 7
        command.checkEndpoint.target = WireTarget(try Sample.carriage(1).endpoint.target)
        var search = WireCommand()
        search.id = 8
        search.listFlows = WireListFlows(try FlowQuery(service: ServiceName("acme-app"), limit: 7))
        var check = WireEndpointCheck()
        check.command = 7
        check.attempts = [WireAttempt(), WireAttempt()]
        var load = WireLoad()
        load.connectionsOpen = 12
        load.failures = [WireServiceFailures()]
        return [
            .hello(hello), .snapshot(WireSnapshot(snapshot)), .applied(SnapshotVersion(9)),
            .refused(SnapshotVersion(9), reasons: ["because"]), .command(command), .endpointCheck(check), .load(load),
            .command(search), .flowList(WireFlowList(command: 8, refusal: "not now")), .heartbeat, .goodbye("the end"),
        ]
    }

    static func stream(of frames: [WireFrame]) throws -> [UInt8] { try frames.flatMap { try encoder.encoded($0) } }

    @Test(arguments: [1, 2, 3, 5, 64, 1 << 16])
    func `of every kind come out as they went in, however the stream is cut`(size: Int) throws {
        let sent = try Frames.everyKind()
        #expect(try frames(of: Frames.stream(of: sent), inPiecesOf: size) == sent)
    }

    @Test func `that are cut off anywhere are waited for`() throws {
        let sent = try Frames.everyKind()
        let bytes = try Frames.stream(of: sent)
        for count in bytes.indices {
            let received = try frames(of: Array(bytes[..<count]), inPiecesOf: 1 << 16)
            #expect(received.count < sent.count)
            #expect(received == Array(sent[..<received.count]))
        }
    }

    @Test func `damaged at random are read, refused or waited for, and never trap`() throws {
        var generator = SeededGenerator(seed: 1)
        let bytes = try Frames.stream(of: Frames.everyKind())
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                damaged[Int.random(in: damaged.indices, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = try? frames(of: damaged, inPiecesOf: 1 << 16)
        }
    }

    @Test func `of random octets are read, refused or waited for, and never trap`() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<200, using: &generator)
            let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? frames(of: [0, 0, 0, UInt8(count)] + body, inPiecesOf: 1 << 16)
        }
    }

    @Test func `that announce more than the longest are refused before their content comes`() {
        var decoder = FrameDecoder(longestFrame: 100)
        decoder.append([0, 0, 0, 101])
        #expect(throws: FrameError.tooLong(101, longest: 100)) { try decoder.next() }
        decoder.append([1, 2, 3])
        #expect(throws: FrameError.tooLong(101, longest: 100)) { try decoder.next() }
    }

    @Test func `that announce four gigabytes are refused like any other`() {
        var decoder = FrameDecoder(longestFrame: ChannelRules.longestFrameDown)
        decoder.append([0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: FrameError.tooLong(0xFFFF_FFFF, longest: 64 << 20)) { try decoder.next() }
    }

    @Test func `of the longest length are taken`() throws {
        let frame = WireFrame.goodbye(String(repeating: "x", count: 94))
        let bytes = try FrameEncoder(longestFrame: 100).encoded(frame)
        #expect(bytes.count <= 104)
        #expect(try frames(of: bytes, inPiecesOf: 7, longestFrame: bytes.count - 4) == [frame])
    }

    @Test func `longer than the other end takes are not made`() {
        #expect(throws: FrameError.self) {
            try FrameEncoder(longestFrame: 100).encoded(.goodbye(String(repeating: "x", count: 100)))
        }
    }

    @Test func `of no length are refused, and those before them are not lost`() throws {
        var decoder = FrameDecoder(longestFrame: 100)
        decoder.append(try Frames.encoder.encoded(.heartbeat) + [0, 0, 0, 0])
        #expect(try decoder.next() == .heartbeat)
        #expect(throws: FrameError.empty) { try decoder.next() }
        #expect(throws: FrameError.empty) { try decoder.next() }
    }

    @Test func `of a kind that a later release may bring have no message`() throws {
        let unknown: [UInt8] = [0, 0, 0, 4, 0xFA, 0x01, 1, 0]  // field 31, one octet long
        let frame = try #require(try frames(of: unknown, inPiecesOf: 8).first)
        #expect(frame.message == nil)
    }

    @Test func `that are text instead of protobuf are refused`() {
        #expect(throws: FrameError.self) { try frames(of: Array("GET / HTTP/1.1\r\n\r\n".utf8), inPiecesOf: 4) }
    }

    @Test(arguments: [7, 200_000]) func `that nest groups without end are refused`(depth: Int) {
        // A Hello that is nothing but the beginnings of unknown groups, each in the one before.
        let groups = [UInt8](repeating: 0x7B, count: depth)
        let length = [UInt8(depth & 0x7F | 0x80), UInt8(depth >> 7 & 0x7F | 0x80), UInt8(depth >> 14)]
        let body = [0x0A] + length + groups
        let header = [0, UInt8(body.count >> 16), UInt8(body.count >> 8 & 0xFF), UInt8(body.count & 0xFF)]
        #expect(throws: FrameError.self) { try frames(of: header + body, inPiecesOf: 1 << 16) }
    }

    /// Each repetition of a `oneof` field is merged with a copy of what came before it: without a limit this is
    /// quadratic.
    @Test func `that repeat their one field are refused, whether inside or outside`() throws {
        let empty: [UInt8] = [0x22, 0]  // refused
        let load: [UInt8] = [0x12, 0]  // load, in an observation
        let outside = Array(repeatElement(empty, count: 1000).joined())
        let inside = Array(repeatElement(load, count: 50).joined())
        for body in [outside, [0x42, UInt8(inside.count)] + inside] {
            let header = [0, 0, UInt8(body.count >> 8), UInt8(body.count & 0xFF)]
            #expect(throws: FrameError.self) { try frames(of: header + body, inPiecesOf: 1 << 16) }
        }
    }

    @Test func `with very many reasons are cut to a length that is taken, and say how many are left out`() throws {
        let reasons = (0..<100_000).map { "service service-\($0): is wrong in a way that takes some words to say" }
        let frame = WireFrame.refused(SnapshotVersion(1), reasons: reasons)
        let bytes = try FrameEncoder(longestFrame: ChannelRules.longestFrameUp).encoded(frame)
        #expect(bytes.count < ChannelRules.longestFrameUp)
        #expect(frame.refused.reasons.last == "and \(reasons.count - frame.refused.reasons.count + 1) more")
    }
}
