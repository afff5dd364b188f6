import ArgumentParser
import Foundation
import JSON
import Testing

@testable import ddirect

@Suite struct `Times on the command line` {
    @Test(arguments: [
        ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), ("1d2h3m4s", 93_784), ("0h5m", 300),
        ("366d", 31_622_400),
    ])
    func `a span is whole numbers with their units, the greatest first`(text: String, seconds: Int) throws {
        #expect(try Span(parsing: text).seconds == seconds)
    }

    @Test(arguments: [
        "", "10", "m", "10 m", "1.5h", "-5m", "+5m", "10M", "5m1h", "5m5m", "10ms", "1h30", "٣m", "1w", "0s", "0d",
        "367d", "9223372036854775807d", "99999999999999999999s", "9223372036854775807h9223372036854775807m",
    ])
    func `anything else is no span`(text: String) {
        #expect(throws: ValidationError.self) { try Span(parsing: text) }
    }

    @Test(arguments: [
        ("2026-03-01T12:00:05Z", "2026-03-01T12:00:05Z"), ("2026-03-01T12:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01 12:00:05", "2026-03-01T12:00:05Z"), ("2026-03-01 12:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00Z"), ("2026-03-01T00:30:00-05:30", "2026-03-01T06:00:00Z"),
        ("2028-02-29t23:59:59z", "2028-02-29T23:59:59Z"),
    ])
    func `a moment is as RFC 3339 or our tables have it, and sent in UTC`(text: String, sent: String) throws {
        #expect(try Moment(parsing: text).text == sent)
    }

    @Test(arguments: [
        "", "soon", "12:00", "2026-03-01", "2026-02-30T12:00:00Z", "2026-13-01T12:00:00Z", "2026-03-01T25:00:00Z",
        "2026-03-01T12:00:00Zjunk", "2026-03-01T12:00:00+25:00", "2026-03-01T12:00:00+02:60", "٢026-03-01T12:00:00Z",
    ])
    func `anything else is no moment`(text: String) {
        #expect(throws: ValidationError.self) { try Moment(parsing: text) }
    }

    @Test func `an end is given as a time or counted from now, and one of the two it has to be`() throws {
        let now = try Moment(parsing: "2026-03-01T12:00:00Z").date
        func end(_ arguments: String...) throws -> JSONValue { try UntilOptions.parse(arguments).end(now: now) }
        #expect(try end("--for", "90s") == "2026-03-01T12:01:30Z")
        #expect(try end("--until", "2026-03-02 00:00") == "2026-03-02T00:00:00Z")
        #expect(throws: ValidationError.self) { try end() }
        #expect(throws: ValidationError.self) { try end("--for", "1h", "--until", "2026-03-02 00:00") }
    }
}
