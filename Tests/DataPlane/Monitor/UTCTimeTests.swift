import Testing

@testable import DataPlane

@Suite struct `Time in UTC` {
    /// Seconds since 1970 as `date -u -d @…` writes them.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (86_399, "1970-01-01T23:59:59.000Z", "Thu, 01 Jan 1970 23:59:59 GMT"),
        (68_169_600, "1972-02-29T00:00:00.000Z", "Tue, 29 Feb 1972 00:00:00 GMT"),
        (951_782_399, "2000-02-28T23:59:59.000Z", "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_800, "2000-03-01T00:00:00.000Z", "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_709_251_199, "2024-02-29T23:59:59.000Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
        (1_735_689_599, "2024-12-31T23:59:59.000Z", "Tue, 31 Dec 2024 23:59:59 GMT"),
        (1_767_225_600, "2026-01-01T00:00:00.000Z", "Thu, 01 Jan 2026 00:00:00 GMT"),
        (4_107_542_400, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
    ])
    func `is written as a calendar has it, leap days included`(seconds: UInt64, rfc3339: String, httpDate: String) {
        let time = UTCTime(nanosecondsSince1970: seconds * 1_000_000_000)
        #expect(time.rfc3339 == rfc3339)
        #expect(time.httpDate == httpDate)
    }

    @Test func `has milliseconds, which are cut and not rounded`() {
        #expect(UTCTime(nanosecondsSince1970: 1_767_225_600_007_999_999).rfc3339 == "2026-01-01T00:00:00.007Z")
    }

    @Test func `goes on day by day for two centuries`() {
        var previous = UTCTime(nanosecondsSince1970: 0)
        for day in 1...73_000 as ClosedRange<UInt64> {
            let time = UTCTime(nanosecondsSince1970: day * 86_400_000_000_000)
            let isLeap = previous.year % 4 == 0 && (previous.year % 100 != 0 || previous.year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            let endsMonth = previous.day == lengths[previous.month - 1]
            let endsYear = endsMonth && previous.month == 12
            let expected = [
                endsYear ? previous.year + 1 : previous.year,
                endsYear ? 1 : endsMonth ? previous.month + 1 : previous.month, endsMonth ? 1 : previous.day + 1,
                (previous.weekday + 1) % 7,
            ]
            // Not expected one by one, which would take seconds.
            guard [time.year, time.month, time.day, time.weekday] == expected else {
                Issue.record("day \(day) is \(time), expected \(expected)")
                return
            }
            previous = time
        }
    }

    @Test func `takes any number of nanoseconds`() {
        #expect(UTCTime(nanosecondsSince1970: .max).rfc3339 == "2554-07-21T23:34:33.709Z")
    }
}
