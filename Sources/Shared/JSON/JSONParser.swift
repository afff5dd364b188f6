/// Why a text is no JSON that we read, and where.
package struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    let problem: String
    /// The number of octets before the place.
    let offset: Int

    package var description: String { "\(problem) at octet \(offset + 1)" }
}

extension JSONValue {
    /// Reads a whole JSON text (RFC 8259), strictly.
    ///
    /// A name used twice in one object is refused, since readers disagree on which one counts; so are lone surrogates
    /// and numbers that no Double can hold. Nesting is limited, as each level costs stack.
    package static func parse(_ text: some Sequence<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        var parser = JSONParser(text: Array(text))
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.next == nil else { throw parser.error("something follows the end of the JSON text") }
        return value
    }
}

private struct JSONParser {
    /// Our documents nest four deep; this leaves room without letting a request choose how much stack it takes.
    static let deepest = 32

    let text: [UInt8]
    var index = 0

    init(text: [UInt8]) { self.text = text }

    func error(_ problem: String) -> JSONSyntaxError { JSONSyntaxError(problem: problem, offset: index) }

    var next: UInt8? { index < text.count ? text[index] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= JSONParser.deepest else {
            throw error("the JSON text nests deeper than \(JSONParser.deepest) levels")
        }
        switch next {
        case nil: throw error("the JSON text ends too early")
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", is: .bool(true))
        case UInt8(ascii: "f"): return try word("false", is: .bool(false))
        case UInt8(ascii: "n"): return try word("null", is: .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, is value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard text[index...].starts(with: word.utf8) else { throw error("there is no JSON value") }
        index += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONObject {
        var object = JSONObject()
        index += 1
        skipSpace()
        if next == UInt8(ascii: "}") {
            index += 1
            return object
        }
        while true {
            guard next == UInt8(ascii: "\"") else { throw error("an object member has no name in quotes") }
            let start = index
            let key = try string()
            guard object[key] == nil else {
                throw JSONSyntaxError(problem: "the name '\(key.prefix(80))' stands twice in one object", offset: start)
            }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw error("a colon is missing after a member's name") }
            index += 1
            skipSpace()
            object[key] = try value(depth: depth + 1)
            skipSpace()
            if next == UInt8(ascii: "}") { break }
            guard next == UInt8(ascii: ",") else { throw error("a comma or closing brace is missing") }
            index += 1
            skipSpace()
        }
        index += 1
        return object
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        var elements: [JSONValue] = []
        index += 1
        skipSpace()
        if next == UInt8(ascii: "]") {
            index += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if next == UInt8(ascii: "]") { break }
            guard next == UInt8(ascii: ",") else { throw error("a comma or closing bracket is missing") }
            index += 1
            skipSpace()
        }
        index += 1
        return elements
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = index
        if next == UInt8(ascii: "-") { index += 1 }
        let leadingZero = next == UInt8(ascii: "0")
        let digits = skipDigits()
        guard digits > 0 else {
            index = start
            throw error("there is no JSON value")
        }
        guard !leadingZero || digits == 1 else { throw error("a number begins with a zero") }
        var integral = true
        if next == UInt8(ascii: ".") {
            integral = false
            index += 1
            guard skipDigits() > 0 else { throw error("a number has no digits after its point") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            integral = false
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            guard skipDigits() > 0 else { throw error("a number has no digits in its exponent") }
        }
        let digitsText = String(decoding: text[start..<index], as: UTF8.self)
        if integral, let integer = Int(digitsText) { return .integer(integer) }
        guard let number = Double(digitsText), number.isFinite else { throw error("a number is too large") }
        // 443.0 and 4.43e2 are the integer 443 to JSON, which has only numbers. From 2^53 on several integers are one
        // Double.
        if !integral, number.magnitude < 0x1p53, let integer = Int(exactly: number) { return .integer(integer) }
        return .number(number)
    }

    private mutating func skipDigits() -> Int {
        let start = index
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index - start
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        let start = index
        // Most strings have no escapes and can be taken as they stand.
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        var bytes = Array(text[start..<index])
        while true {
            guard let byte = next else { throw error("a string has no end") }
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw error("a string is no valid UTF-8")
                }
                index += 1
                return string
            case UInt8(ascii: "\\"):
                index += 1
                bytes.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20:
                throw error("a string has a control character that is not escaped")
            default:
                bytes.append(byte)
                index += 1
            }
        }
    }

    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        guard let byte = next else { throw error("a string has no end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard UTF16.isLeadSurrogate(UInt16(unit)), text[index...].starts(with: "\\u".utf8) else {
                throw error("a string has half of a surrogate pair")
            }
            index += 2
            let low = try hexUnit()
            guard UTF16.isTrailSurrogate(UInt16(low)),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw error("a string has half of a surrogate pair") }
            return scalar
        default:
            throw error("a string has an unknown escape")
        }
    }

    private mutating func hexUnit() throws(JSONSyntaxError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("a \\u escape has no four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
            index += 1
        }
        return unit
    }
}
