import Hummingbird
import Synchronization
import Testing

@testable import API
@testable import JSON
@testable import Notices

@Suite(.timeLimit(.minutes(10))) struct `Events by the API` {
    // MARK: The answer

    @Test func `what has happened is answered, and the answer ends when nothing else is wanted`() async throws {
        try await Bench.run { bench in
            #expect(try await bench.get("/events?follow=false").text == "retry: 2000\n\n")
            _ = try await bench.post("/customers", #"{"name":"acme"}"#)
            try await eventually("the change is told") { bench.events.events(after: nil).events.count == 1 }
            let answer = try await bench.get("/events?follow=false")
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "text/event-stream")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(
                answer.text.hasPrefix("retry: 2000\n\nid: abcdef12-1\nevent: change\ndata: {\"id\":\"abcdef12-1\","))
            #expect(
                answer.text.hasSuffix(
                    #""server":null,"version":1,"author":"admin","detail":"create customer acme"}"# + "\n\n"))
        }
    }

    @Test func `the header says where to go on, before the parameter`() async throws {
        let events = EventLog(epoch: 0xABCD_EF12)
        for number in 1...3 { events.append(.change, detail: "change \(number)") }
        try await Bench.run(events: events) { bench in
            let path = "/events?follow=false"
            #expect(try await bench.told(path) == ["1", "2", "3"])
            #expect(try await bench.told(path + "&after=abcdef12-1") == ["2", "3"])
            #expect(try await bench.told(path + "&after=abcdef12-1", [.lastEventID: "abcdef12-2"]) == ["3"])
            #expect(try await bench.told(path, [.lastEventID: "abcdef12-3"]) == [])
            #expect(try await bench.told(path, [.lastEventID: "12345678-3"]) == ["0", "1", "2", "3"])
            let gap = try await bench.get(path, [.lastEventID: "12345678-3"]).text
            #expect(gap.hasPrefix("retry: 2000\nid: 12345678-3\n\nid: abcdef12-0\nevent: gap\n"))
        }
    }

    @Test(arguments: ["after=", "after=x", "after=abcdef12-01", "follow=yes", "follow=", "limit=3"])
    func `a wrong parameter is refused`(query: String) async throws {
        try await Bench.run { bench in
            let answer = try await bench.get("/events?\(query)")
            #expect(answer.status == 400)
            #expect(answer.problem == "invalid-parameter")
        }
    }

    @Test func `a wrong header is refused`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.get("/events", [.lastEventID: "nonsense"])
            #expect(answer.status == 400)
            #expect(answer.text.contains("Last-Event-ID is 'nonsense'"))
        }
    }

    @Test func `who asks for the head alone has it, and nothing stays behind`() async throws {
        try await Bench.run { bench in
            let answer = try await bench.send(.head, "/api/v1/events")
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "text/event-stream")
            #expect(answer.text == "")
            try await eventually("nobody reads") { bench.events.subscriptionCount == 0 }
        }
    }

    @Test func `more readers than there may be are told to come back`() async throws {
        try await Bench.run(events: EventLog(mostSubscriptions: 1)) { bench in
            let reader = bench.events.subscribe(after: nil)
            let answer = try await bench.get("/events")
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] == "30")
            #expect(try await bench.get("/events?follow=false").status == 200)
            withExtendedLifetime(reader) {}
        }
    }

    @Test func `a stream ends with its token, and tells nothing after that`() async throws {
        try await Bench.run { bench in
            guard case .string(let secret)? = try await bench.post("/tokens", #"{"name":"watcher"}"#)["token"] else {
                Issue.record("there is no token")
                return
            }
            async let stream = bench.get("/events", [.authorization: "Bearer \(secret)"])
            try await eventually("somebody reads") { bench.events.subscriptionCount == 1 }
            #expect(try await bench.delete("/tokens/watcher").status == 204)
            bench.events.append(.change, detail: "too late")
            let answer = try await stream
            #expect(answer.status == 200)
            #expect(answer.text.hasPrefix("retry: 2000\nid: abcdef12-0\n\n"))
            #expect(!answer.text.contains("too late"))
            try await eventually("nobody reads") { bench.events.subscriptionCount == 0 }
        }
    }

    @Test func `the OpenAPI document names every kind`() async throws {
        var place: JSONValue? = try JSONValue.parse(try await OpenAPI.served().utf8)
        for step in ["components", "schemas", "Event", "properties", "kind", "enum"] { place = place?.object?[step] }
        #expect(place == .array(FleetEvent.Kind.allCases.map { .string($0.rawValue) }))
    }

    // MARK: The stream

    @Test func `events are sent as they happen, and something at every heartbeat`() async throws {
        let log = EventLog(epoch: 0xABCD_EF12)
        let subscription = try #require(log.subscribe(after: nil))
        let stream = EventStream(subscription, mayRead: { true }, disconnect: {}, heartbeat: .milliseconds(20))
        try await reading(stream) { texts in
            let opening = await texts.next()
            #expect(opening == "retry: 2000\nid: abcdef12-0\n\n")
            let beat = await texts.next()
            #expect(beat == ": alive\n\n")
            log.append(.change, detail: "first")
            log.append(.sessionEnded, detail: "second")
            var told = ""
            while !told.contains("second"), let text = await texts.next() { told += text }
            let messages = log.events(after: nil).events.map(\.message)
            #expect(told.replacing(": alive\n\n", with: "") == messages.joined())
            stream.end(.shutdown)
            while let text = await texts.next() { #expect(text == ": alive\n\n") }
        }
        #expect(stream.ending == "the daemon is stopping")
    }

    @Test func `a reader who may read no more is sent nothing more`() async throws {
        let log = EventLog()
        let subscription = try #require(log.subscribe(after: nil))
        let permission = Permission()
        let stream = EventStream(subscription, mayRead: { permission.isThere }, disconnect: {})
        try await reading(stream) { texts in
            _ = await texts.next()
            log.append(.change, detail: "")
            let told = await texts.next()
            #expect(told?.contains("event: change") == true)
            permission.end()
            log.append(.change, detail: "")
            let end = await texts.next()
            #expect(end == nil)
        }
        #expect(stream.ending == "its token was deleted")
    }

    @Test func `a reader who does not read is disconnected`() async throws {
        let log = EventLog()
        let subscription = try #require(log.subscribe(after: nil))
        let (room, connection) = AsyncStream<Void>.makeStream()
        let stream = EventStream(
            subscription, mayRead: { true }, disconnect: { connection.finish() }, heartbeat: .milliseconds(5),
            patience: .milliseconds(50))
        await #expect(throws: Wall.Broken.self) {
            var writer: any ResponseBodyWriter = Wall(room: room)
            try await stream.write(to: &writer)
        }
        #expect(stream.ending == "the reader did not read")
    }
}

extension Bench {
    /// The numbers of the events that are answered.
    fileprivate func told(_ path: String, _ headers: HTTPFields = [:]) async throws -> [String] {
        try await get(path, headers).text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { line in
            guard case .string(let id)? = try JSONValue.parse(Array(line.dropFirst(6).utf8)).object?["id"] else {
                return "none"
            }
            return String(id.drop { $0 != "-" }.dropFirst())
        }
    }
}

/// Writes a stream, and gives `body` what is written, piece by piece.
private func reading(
    _ stream: EventStream, _ body: (inout AsyncStream<String>.Iterator) async throws -> Void
) async throws {
    let (texts, written) = AsyncStream<String>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            var writer: any ResponseBodyWriter = Capture(written: written)
            try await stream.write(to: &writer)
        }
        var iterator = texts.makeAsyncIterator()
        try await body(&iterator)
        group.cancelAll()
    }
}

private struct Capture: ResponseBodyWriter {
    let written: AsyncStream<String>.Continuation

    func write(_ buffer: ByteBuffer) async throws { written.yield(String(buffer: buffer)) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { written.finish() }
}

/// A connection that takes nothing until it is closed.
private struct Wall: ResponseBodyWriter {
    struct Broken: Error {}

    let room: AsyncStream<Void>

    func write(_ buffer: ByteBuffer) async throws {
        for await _ in room {}
        throw Broken()
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

private final class Permission: Sendable {
    private let given = Mutex(true)

    var isThere: Bool { given.withLock { $0 } }
    func end() { given.withLock { $0 = false } }
}
