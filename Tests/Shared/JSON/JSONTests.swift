import Testing

@testable import JSON

@Suite struct `JSON` {
    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", true), (" [1, -2,\n3.5] ", [1, -2, .number(3.5)]), ("443.0", 443),
            ("4.43e2", 443),
            (#""a\"\\\/\b\f\n\r\té\ud83d\ude00""#, "a\"\\/\u{8}\u{C}\n\r\té😀"),
            (#"{"a":{"b":[]},"c":""}"#, ["a": ["b": []], "c": ""]),
            ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("-0", 0),
            // What an Int cannot hold, or a Double cannot tell from its neighbour, does not become another integer.
            ("-9223372036854775808", .integer(.min)), ("-9223372036854775809", .number(-9_223_372_036_854_775_808)),
            ("9007199254740991.0", 9_007_199_254_740_991), ("9007199254740993.0", .number(9_007_199_254_740_992)),
        ] as [(String, JSONValue)])
    func `what is JSON is read`(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(text.utf8) == value)
    }

    @Test(arguments: [
        "", " ", "{", "[", "\"", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\"}", "{\"a\":}", "nul", "tru", "+1", "01", "1.",
        ".5", "1e", "--1", "'a'",
        "\"\\x\"", "\"\\u12\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\t\"", "1 2", "[1 2]", "{\"a\":1 \"b\":2}",
        "\u{FEFF}{}", "{\"a\":1,\"a\":1}",
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(text.utf8) }
    }

    @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]])
    func `broken UTF-8 is refused`(bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(bytes) }
    }

    @Test func `every prefix of a text is refused, and none is a crash`() {
        let text = Array(#"{"a":[1.5e3,true,null,"\u00e9x"],"b":{"c":false}}"#.utf8)
        for length in 0..<text.count {
            #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(text.prefix(length)) }
        }
    }

    /// The examples of RFC 7396, appendix A.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
        (#"{"a":"foo"}"#, "null", "null"),
        (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func `merge patches do as RFC 7396 says`(target: String, patch: String, result: String) throws {
        let read = { (text: String) in try JSONValue.parse(text.utf8) }
        #expect(try read(target).merged(with: try read(patch)) == (try read(result)))
    }
}
