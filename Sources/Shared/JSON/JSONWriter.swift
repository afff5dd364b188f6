extension JSONValue: CustomStringConvertible {
    /// The JSON text as programs exchange and keep it: on one line, members in their order.
    package var description: String { JSONWriter.text(of: self, .exchanged) }

    /// The JSON text as people and their scripts see it: on one line, members sorted by name.
    package var compact: String { JSONWriter.text(of: self, .shown) }

    /// The same, indented, so that two answers can be compared line by line.
    package var pretty: String { JSONWriter.text(of: self, .indented) }
}

private struct JSONWriter {
    enum Form {
        case exchanged, shown, indented
    }

    let form: Form
    var text = ""
    var depth = 0

    static func text(of value: JSONValue, _ form: Form) -> String {
        var writer = JSONWriter(form: form)
        writer.write(value)
        return writer.text
    }

    private mutating func write(_ value: JSONValue) {
        switch value {
        case .null: text += "null"
        case .bool(let bool): text += bool ? "true" : "false"
        case .integer(let number): text += String(number)
        case .number(let number): text += number.isFinite ? String(number) : "null"
        case .string(let string): write(string)
        case .array(let elements):
            write(elements, between: "[", "]") { writer, element in writer.write(element) }
        case .object(let object):
            write(form == .exchanged ? object.keys : object.keys.sorted(), between: "{", "}") { writer, key in
                writer.write(key)
                writer.text += writer.form == .indented ? ": " : ":"
                writer.write(object[key] ?? .null)
            }
        }
    }

    private mutating func write<Part>(
        _ parts: [Part], between opening: String, _ closing: String, _ write: (inout JSONWriter, Part) -> Void
    ) {
        text += opening
        depth += 1
        for (index, part) in parts.enumerated() {
            if index > 0 { text += "," }
            breakLine()
            write(&self, part)
        }
        depth -= 1
        if !parts.isEmpty { breakLine() }
        text += closing
    }

    private mutating func breakLine() {
        if form == .indented { text += "\n" + String(repeating: "  ", count: depth) }
    }

    private mutating func write(_ string: String) {
        text += "\""
        // Most strings have nothing to escape and go as they stand. C2 begins each of U+0080 to U+009F in UTF-8.
        let isForPeople = form != .exchanged
        if string.utf8.allSatisfy({
            $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C && $0 != 0x7F && !(isForPeople && $0 == 0xC2)
        }) {
            text += string
        } else {
            writeEscaped(string)
        }
        text += "\""
    }

    private mutating func writeEscaped(_ string: String) {
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r" where form == .exchanged: text += "\\r"
            // RFC 8259 wants only the first 32 escaped. A terminal would obey the others as well.
            case "\u{0}"..."\u{1F}", "\u{7F}": escape(scalar)
            case "\u{80}"..."\u{9F}" where form != .exchanged: escape(scalar)
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    private mutating func escape(_ scalar: Unicode.Scalar) {
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
