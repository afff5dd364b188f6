import JSON
import Testing

@testable import ddirect

@Suite struct `Tables` {
    let table = Table(columns: [
        .init("NAME") { $0["name"].text ?? "" },
        .init("OPEN", .right) { $0["open"].integer.map(String.init) ?? "" },
        .init("ADDRESSES") { abbreviated($0["addresses"].texts) },
    ])

    @Test func `columns are as wide as their widest cell, numbers stand to the right, and no line ends in spaces`() {
        let rows: [JSONValue] = [
            ["name": "za1", "open": 12_345, "addresses": ["192.0.2.7"]],
            ["name": "eu-west-one", "open": 7, "addresses": ["192.0.2.8", "192.0.2.9", "2001:db8::9"]],
        ]
        #expect(
            table.lines(rows) == [
                "NAME          OPEN  ADDRESSES",
                "za1          12345  192.0.2.7",
                "eu-west-one      7  192.0.2.8 +2",
            ])
    }

    @Test func `a value that is not there is a dash, so that every line has as many fields`() {
        #expect(table.lines([[:]]) == ["NAME  OPEN  ADDRESSES", "-        -  -"])
    }

    @Test func `on a narrow terminal the last column gives way, but not beyond reading`() {
        let rows: [JSONValue] = [
            ["name": "za1", "open": 7, "addresses": ["a-name-that-is-longer-than-the-terminal-is-wide.test"]]
        ]
        #expect(table.lines(rows, within: 40)[1] == "za1      7  a-name-that-is-longer-than-…")
        #expect(table.lines(rows, within: 10)[1] == "za1      7  a-name-that-is-long…")
        #expect(table.lines(rows, within: nil) == table.lines(rows))
    }

    @Test func `a cell cannot steer the terminal`() {
        let lines = table.lines([["name": "\u{1B}[2Jgone\n", "addresses": ["\u{202E}evil"]]])
        #expect(lines[1].hasPrefix("\\u{1b}[2Jgone\\u{a}"))
        #expect(lines[1].hasSuffix("\\u{202e}evil"))
    }

    @Test func `letters beyond ASCII are aligned too, and shown`() {
        #expect(table.lines([["name": "café"], ["name": "abcdef"]])[1] == "café       -  -")
    }

    @Test(arguments: [
        ("2026-03-01T12:00:05Z", "2026-03-01 12:00:05"),
        ("2026-03-01T12:00:05.123456Z", "2026-03-01 12:00:05"),
        ("2026-03-01T12:00:05+02:00", "2026-03-01T12:00:05+02:00"),
        ("soon", "soon"),
    ])
    func `a time in UTC is shortened, and anything else left alone`(time: String, shown: String) {
        #expect(time.shortTime == shown)
    }

    @Test func `details say none where there is nothing, and put a list below its label`() {
        var details = Details()
        details.add("name", "za1")
        details.add("addresses", ["192.0.2.7", "2001:db8::7"])
        details.add("trusted senders", [])
        #expect(
            details.lines == [
                "name             za1",
                "addresses        192.0.2.7",
                "                 2001:db8::7",
                "trusted senders  none",
            ])
    }
}
