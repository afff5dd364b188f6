import JSON
import Testing

@testable import ddirect

@Suite struct `Server-sent events` {
    typealias Event = ServerSentEvents.Event

    private static let stream = """
        retry: 2000
        id: abcdef12-1

        : alive

        id: abcdef12-2
        event: change
        data: {"detail":"Größe"}

        data:first
        data: second
        data
        data:  third
        unknown: field

        event: nothing

        id
        event: gap
        data: x

        data: not complete
        """

    private static let events = [
        Event(kind: "change", data: #"{"detail":"Größe"}"#),
        Event(kind: "message", data: "first\nsecond\n\n third"),
        Event(kind: "gap", data: "x"),
    ]

    @Test(arguments: ["\n", "\r", "\r\n"])
    func `the same events are read however the bytes are cut and the lines are ended`(lineEnd: String) throws {
        let bytes = Array(Self.stream.replacing("\n", with: lineEnd).utf8)
        for size in [1, 2, 3, 5, 7, 64, bytes.count] {
            var parser = ServerSentEvents()
            var events: [Event] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                events += try parser.take(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(events == Self.events, "pieces of \(size)")
            #expect(parser.retry == .seconds(2))
            #expect(parser.lastID == "", "an id without a value begins anew")
        }
    }

    @Test func `an id counts from the end of its event, and stays until the next`() throws {
        var parser = ServerSentEvents()
        #expect(try parser.take("id: a-1\n".utf8) == [])
        #expect(parser.lastID == nil)
        #expect(try parser.take("\n".utf8) == [])
        #expect(parser.lastID == "a-1", "an event without data is none, but its id counts")
        #expect(try parser.take("data: x\n\n: alive\n\nid: a\u{0}b\ndata: y\n\n".utf8).map(\.data) == ["x", "y"])
        #expect(parser.lastID == "a-1")
    }

    @Test(arguments: ["-1", "1.5", "", "soon", "99999999999999999999"])
    func `a retry that is no number is skipped`(text: String) throws {
        var parser = ServerSentEvents()
        #expect(try parser.take("retry: \(text)\n\n".utf8) == [])
        #expect(parser.retry == nil)
    }

    @Test func `a byte order mark is skipped, once`() throws {
        var parser = ServerSentEvents()
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        #expect(try parser.take(mark + Array("data: x\n\n".utf8)).map(\.data) == ["x"])
        #expect(try parser.take(mark + Array("data: x\n\n".utf8)) == [])
    }

    @Test(arguments: ["data: ", "data: x\ndata: ", ": "])
    func `an event that does not end is refused`(beginning: String) throws {
        var parser = ServerSentEvents()
        _ = try parser.take(beginning.utf8)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65536)
        #expect(throws: Failure.self) {
            for _ in 0...ServerSentEvents.longestEvent / piece.count { _ = try parser.take(piece) }
        }
    }

    @Test func `comments without end are no event without end`() throws {
        var parser = ServerSentEvents()
        let comment = Array((": " + String(repeating: "x", count: 1000) + "\n").utf8)
        for _ in 0..<1100 { #expect(try parser.take(comment) == []) }
    }

    @Test func `an event is one line for people, whatever it has`() {
        let event: JSONValue = [
            "id": "abcdef12-7", "at": "2026-03-01T12:00:05.123Z", "kind": "version.refused", "server": "za1",
            "version": 42, "author": .null, "detail": "no\nroom",
        ]
        #expect(
            EventsCommand.line(event)
                == #"2026-03-01 12:00:05  version.refused    za1       42      -         no\u{a}room"#)
    }
}
