extension JSON {
    /// Indented, with sorted keys, so that two answers can be compared line by line.
    var pretty: String {
        var text = ""
        write(to: &text, indentation: 0)
        return text
    }

    /// On one line, with sorted keys.
    var compact: String {
        var text = ""
        write(to: &text, indentation: nil)
        return text
    }

    /// Writes the value; at an indentation, or on one line without.
    private func write(to text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let bool): text += bool ? "true" : "false"
        case .integer(let integer): text += String(integer)
        case .number(let number): text += "\(number)"
        case .string(let string): JSON.write(string, to: &text)
        case .array(let items):
            JSON.write(items, between: ("[", "]"), to: &text, indentation) { item, text, indentation in
                item.write(to: &text, indentation: indentation)
            }
        case .object(let members):
            JSON.write(members.sorted { $0.key < $1.key }, between: ("{", "}"), to: &text, indentation) {
                member, text, indentation in
                JSON.write(member.key, to: &text)
                text += indentation == nil ? ":" : ": "
                member.value.write(to: &text, indentation: indentation)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], between brackets: (String, String), to text: inout String, _ indentation: Int?,
        _ writeElement: (Element, inout String, Int?) -> Void
    ) {
        text += brackets.0
        let inner = indentation.map { $0 + 2 }
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: " ", count: inner) }
            writeElement(element, &text, inner)
        }
        if let indentation, !elements.isEmpty { text += "\n" + String(repeating: " ", count: indentation) }
        text += brackets.1
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            // RFC 8259 wants the first 32 escaped; the others here are what a terminal would obey.
            case _ where scalar.properties.generalCategory == .control:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
