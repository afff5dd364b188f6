/// A moment in UTC as people and HTTP write it.
///
/// Made from the count of nanoseconds since 1970 that the system's clock gives; that count has no leap seconds, so
/// every day is 86,400 s.
struct UTCTime: Equatable, Sendable {
    let year: Int
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int
    /// 0 is Sunday.
    let weekday: Int
    let hour: Int
    let minute: Int
    let second: Int
    let millisecond: Int

    init(nanosecondsSince1970 nanoseconds: UInt64) {
        let milliseconds = Int(nanoseconds / 1_000_000)
        let seconds = milliseconds / 1000
        let days = seconds / 86400
        (year, month, day) = UTCTime.civil(days: days)
        weekday = (days + 4) % 7  // 1 January 1970 was a Thursday
        hour = seconds % 86400 / 3600
        minute = seconds % 3600 / 60
        second = seconds % 60
        millisecond = milliseconds % 1000
    }

    /// The date that is `days`, not negative, after 1 January 1970.
    ///
    /// Years are taken to begin in March, so that the leap day is a year's last and the lengths of the months before it
    /// follow one rule (Howard Hinnant, "chrono-compatible low-level date algorithms").
    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let sinceMarch0 = days + 719_468  // from 1 March of the year 0
        let era = sinceMarch0 / 146_097  // of 400 years, after which the calendar repeats
        let dayOfEra = sinceMarch0 % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    /// RFC 3339 with milliseconds: `2026-01-01T00:00:00.123Z`.
    var rfc3339: String {
        "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(clock).\(padded(millisecond, 3))Z"
    }

    /// The form of HTTP's Date field (RFC 9110 section 5.6.7): `Thu, 01 Jan 2026 00:00:00 GMT`.
    var httpDate: String {
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(weekdays[weekday]), \(padded(day, 2)) \(months[month - 1]) \(padded(year, 4)) \(clock) GMT"
    }

    private var clock: String { "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
