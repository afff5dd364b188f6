import JSON
import Testing

@Suite struct `Written JSON` {
    let value: JSONValue = ["b": [1, ["c": .null, "": "ü/"]], "a": [], "o": [:], "n": .number(2.5), "t": true]

    @Test func `is for programs on one line, with the members in their order`() {
        #expect(value.description == #"{"b":[1,{"c":null,"":"ü/"}],"a":[],"o":{},"n":2.5,"t":true}"#)
    }

    @Test func `is for people sorted, on one line`() {
        #expect(value.compact == #"{"a":[],"b":[1,{"":"ü/","c":null}],"n":2.5,"o":{},"t":true}"#)
    }

    @Test func `has where it is pretty a line for each value, and none for nothing`() {
        #expect(
            value.pretty == """
                {
                  "a": [],
                  "b": [
                    1,
                    {
                      "": "ü/",
                      "c": null
                    }
                  ],
                  "n": 2.5,
                  "o": {},
                  "t": true
                }
                """)
        #expect(JSONValue.null.pretty == "null" && JSONValue.object([:]).pretty == "{}")
    }

    @Test func `for people has nothing in it that a terminal would obey`() {
        let obeyed: JSONValue = "\u{1B}\u{9B}\u{0}\u{7F}\r\n\t\"\\"
        #expect(obeyed.compact == #""\u001b\u009b\u0000\u007f\u000d\n\t\"\\""#)
        #expect(JSONValue.object(["\u{9B}": 1]).pretty == "{\n  \"\\u009b\": 1\n}")
        #expect(obeyed.description == "\"\\u001b\u{9B}\\u0000\\u007f\\r\\n\\t\\\"\\\\\"")
    }

    @Test(arguments: ["description", "compact", "pretty"])
    func `is read as what it was`(form: String) throws {
        let value: JSONValue = [
            "a": ["\u{0}\u{1F}\u{9B}\"\\\u{7F}", .number(1.25), .null, -3, .integer(.max), .number(1e300)], "": [:],
            "é": "😀",
        ]
        let texts = ["description": value.description, "compact": value.compact, "pretty": value.pretty]
        #expect(try JSONValue.parse(try #require(texts[form]).utf8) == value)
    }
}
