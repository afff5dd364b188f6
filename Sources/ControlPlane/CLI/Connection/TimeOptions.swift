import ArgumentParser
import Foundation
import JSON

/// A length of time on the command line: whole numbers with a unit each, the greatest first, such as `90s`, `10m`,
/// `2h`, `1d` or `1h30m`.
struct Span: Equatable, Sendable {
    let seconds: Int

    /// A year. Longer is a slip of the pen.
    static let longest = 366 * 86_400

    private static let units: [(letter: Character, seconds: Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

    init(seconds: Int) { self.seconds = seconds }

    init(parsing text: String) throws {
        guard let seconds = Span.seconds(text) else {
            throw ValidationError("expected whole numbers with a unit, such as 90s, 10m, 2h, 1d or 1h30m")
        }
        guard (1...Span.longest).contains(seconds) else { throw ValidationError("expected 1s to 366d") }
        self.seconds = seconds
    }

    private static func seconds(_ text: String) -> Int? {
        var total = 0
        var digits = ""
        var next = units[...]
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            guard let number = Int(digits), let place = next.firstIndex(where: { $0.letter == character }) else {
                return nil
            }
            let (part, isTooLong) = number.multipliedReportingOverflow(by: units[place].seconds)
            let (sum, isTooLongToo) = total.addingReportingOverflow(part)
            guard !isTooLong, !isTooLongToo else { return .max }
            total = sum
            digits = ""
            next = units[(place + 1)...]
        }
        return digits.isEmpty && !text.isEmpty ? total : nil
    }
}

/// A point in time on the command line, as RFC 3339 has it or as our tables show it: `2026-03-01T12:00:00+02:00`, or
/// `2026-03-01 12:00` in UTC.
struct Moment: Equatable, Sendable {
    let date: Date

    init(_ date: Date) { self.date = date }

    init(parsing text: String) throws {
        guard let date = Moment.date(text) else {
            throw ValidationError(
                "expected a time such as 2026-03-01T12:00:00Z, 2026-03-01T14:00:00+02:00, or '2026-03-01 12:00' in UTC")
        }
        self.date = date
    }

    /// In UTC, to the second, as the API takes it.
    var text: String { date.formatted(Date.ISO8601FormatStyle()) }

    private static func date(_ text: String) -> Date? {
        guard
            let parts = text.wholeMatch(
                of: /(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?([Zz]|([+\-])(\d\d):(\d\d))?/.asciiOnlyDigits())
        else { return nil }
        let local = "\(parts.1)T\(parts.2)\(parts.3 ?? ":00")Z"
        // Foundation would make the 2nd of March of a 30th of February.
        guard let date = try? Date(local, strategy: Date.ISO8601FormatStyle()),
            date.formatted(Date.ISO8601FormatStyle()) == local
        else { return nil }
        guard let sign = parts.5, let hours = parts.6.flatMap({ Double($0) }),
            let minutes = parts.7.flatMap({ Double($0) })
        else { return date }
        guard hours < 24, minutes < 60 else { return nil }
        let offset = (hours * 60 + minutes) * 60
        return date.addingTimeInterval(sign == "-" ? offset : -offset)
    }
}

/// Until when something holds: a time, or how long from now.
struct UntilOptions: ParsableArguments {
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long, such as 90s, 10m, 2h or 1d.", valueName: "time"), transform: Span.init(parsing:))
    var span: Span?

    @Option(
        help: ArgumentHelp("Until then: 2026-03-01T12:00:00Z, or '2026-03-01 12:00' in UTC.", valueName: "time"),
        transform: Moment.init(parsing:))
    var until: Moment?

    var isGiven: Bool { span != nil || until != nil }

    /// The end, as the API takes it.
    func end(now: Date) throws -> JSONValue {
        switch (span, until) {
        case (let span?, nil): return .string(Moment(now.addingTimeInterval(Double(span.seconds))).text)
        case (nil, let until?): return .string(until.text)
        case (nil, nil): throw ValidationError("--for or --until is missing; expected one of them")
        case (.some, .some): throw ValidationError("--for and --until contradict each other; give one of them")
        }
    }
}
