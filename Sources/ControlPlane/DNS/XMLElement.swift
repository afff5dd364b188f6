/// An element of an XML document, as far as Route 53 uses XML: elements and text. Attributes are read over, namespaces
/// are not resolved.
///
/// A reader of our own, for three documents of one service. Foundation's is libxml2 with its entities and external
/// documents, and brings 35 MB of libraries into a process that has no other use for them (docs/decisions/0012).
struct XMLElement: Hashable, Sendable {
    /// Without its prefix.
    let name: String
    /// What stands between its children, entities resolved.
    var text = ""
    var children: [XMLElement] = []

    /// The first child of that name.
    subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// `text` as it stands between tags.
    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
    }
}

/// Why a text is no XML that we read, and where.
struct XMLSyntaxError: Error, Hashable, CustomStringConvertible {
    let problem: String
    /// The number of octets before the place.
    let offset: Int

    var description: String { "\(problem) at octet \(offset + 1)" }
}

extension XMLElement {
    /// Reads a whole document. One with a DOCTYPE is refused, so there are no entities but those of XML itself.
    init(parsing octets: [UInt8]) throws(XMLSyntaxError) {
        guard String(validating: octets, as: UTF8.self) != nil else {
            throw XMLSyntaxError(problem: "the document is no valid UTF-8", offset: 0)
        }
        var reader = XMLReader(octets: octets)
        self = try reader.document()
    }
}

private struct XMLReader {
    /// The documents that we read nest six deep; each level costs stack.
    private static let deepest = 32

    let octets: [UInt8]
    var index = 0

    init(octets: [UInt8]) { self.octets = octets }

    mutating func document() throws(XMLSyntaxError) -> XMLElement {
        try skipBetween()
        guard consume("<") else { throw error("there is no element") }
        let root = try element(depth: 0)
        try skipBetween()
        guard index == octets.count else { throw error("something follows the document's element") }
        return root
    }

    private func error(_ problem: String) -> XMLSyntaxError { XMLSyntaxError(problem: problem, offset: index) }

    private mutating func consume(_ word: StaticString) -> Bool { consume(Array("\(word)".utf8)) }

    private mutating func consume(_ word: [UInt8]) -> Bool {
        guard octets[index...].starts(with: word) else { return false }
        index += word.count
        return true
    }

    /// What stands up to `word`, which is read over.
    private mutating func upTo(_ word: StaticString) throws(XMLSyntaxError) -> ArraySlice<UInt8> {
        let end = Array("\(word)".utf8)
        let start = index
        while index < octets.count {
            let stop = index
            if consume(end) { return octets[start..<stop] }
            index += 1
        }
        throw error("the document ends before \(word)")
    }

    private mutating func skipSpace() {
        while index < octets.count, [0x20, 0x09, 0x0A, 0x0D].contains(octets[index]) { index += 1 }
    }

    /// White space, comments and the declaration.
    private mutating func skipBetween() throws(XMLSyntaxError) {
        while true {
            skipSpace()
            if consume("<!--") {
                _ = try upTo("-->")
            } else if consume("<?") {
                _ = try upTo("?>")
            } else {
                return
            }
        }
    }

    private mutating func name() throws(XMLSyntaxError) -> String {
        let start = index
        while index < octets.count, ![0x20, 0x09, 0x0A, 0x0D, 0x3E, 0x2F, 0x3D, 0x3C].contains(octets[index]) {
            index += 1
        }
        guard index > start, octets[start] != UInt8(ascii: "!") else { throw error("there is no name of an element") }
        return String(String(decoding: octets[start..<index], as: UTF8.self).split(separator: ":").last ?? "")
    }

    /// After its `<`.
    private mutating func element(depth: Int) throws(XMLSyntaxError) -> XMLElement {
        guard depth < XMLReader.deepest else {
            throw error("the document nests deeper than \(XMLReader.deepest) levels")
        }
        var element = XMLElement(name: try name())
        if try skipAttributes() { return element }
        while true {
            let start = index
            while index < octets.count, octets[index] != UInt8(ascii: "<") { index += 1 }
            element.text += try resolved(octets[start..<index])
            if consume("</") {
                let closed = try name()
                skipSpace()
                guard closed == element.name, consume(">") else {
                    throw error("the element \(element.name.prefix(80)) is not closed")
                }
                return element
            } else if consume("<!--") {
                _ = try upTo("-->")
            } else if consume("<![CDATA[") {
                element.text += String(decoding: try upTo("]]>"), as: UTF8.self)
            } else if consume("<?") {
                _ = try upTo("?>")
            } else if consume("<") {
                element.children.append(try self.element(depth: depth + 1))
            } else {
                throw error("the document ends within \(element.name.prefix(80))")
            }
        }
    }

    /// Up to the end of the tag. Whether the element ends with it, as `<Name/>` does.
    private mutating func skipAttributes() throws(XMLSyntaxError) -> Bool {
        while index < octets.count {
            if consume("/>") { return true }
            if consume(">") { return false }
            if consume("\"") {
                _ = try upTo("\"")
            } else if consume("'") {
                _ = try upTo("'")
            } else {
                index += 1
            }
        }
        throw error("a tag has no end")
    }

    private func resolved(_ octets: ArraySlice<UInt8>) throws(XMLSyntaxError) -> String {
        let text = String(decoding: octets, as: UTF8.self)
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        var pieces = text.split(separator: "&", omittingEmptySubsequences: false)[...]
        var resolved = String(pieces.removeFirst())
        for piece in pieces {
            guard let semicolon = piece.firstIndex(of: ";"), let scalar = XMLReader.entity(piece[..<semicolon]) else {
                throw error("there is an entity that is not XML's own")
            }
            resolved.unicodeScalars.append(scalar)
            resolved += piece[piece.index(after: semicolon)...]
        }
        return resolved
    }

    private static func entity(_ name: Substring) -> Unicode.Scalar? {
        switch name {
        case "amp": "&"
        case "lt": "<"
        case "gt": ">"
        case "quot": "\""
        case "apos": "'"
        default:
            if name.hasPrefix("#x") {
                UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
            } else if name.hasPrefix("#") {
                UInt32(name.dropFirst()).flatMap(Unicode.Scalar.init)
            } else {
                nil
            }
        }
    }
}
