/// A host name in the form in which DNS, SNI and Host carry it: lower-case A-labels without a final dot.
///
/// RFC 1123 section 2.1 (letters, digits, hyphens), RFC 1035 section 2.3.4 (63 octets a label, 253 in all), RFC 5890
/// (A-labels). Underscores are taken too, anywhere in a label: DNS carries them (RFC 2181 section 11), and names such
/// as `_api.acme.example` are in use. Names in other scripts are refused with the advice to write the A-label form,
/// since that is what devices send.
public struct DomainName: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String

    public static let longest = 253

    public init(_ text: String) throws(InvalidValue) {
        self.text = try DomainName.checked(text[...], of: text)
    }

    public var description: String { text }

    public var labels: [Substring] { text.split(separator: ".") }

    public static func < (left: DomainName, right: DomainName) -> Bool { left.text < right.text }

    /// `name` in lower case when it is a valid host name; `whole` is what the error shows.
    static func checked(_ name: Substring, of whole: String) throws(InvalidValue) -> String {
        if isPlain(name.utf8Span.span) { return String(name) }
        let expected = "a name such as app.acme.example"
        var name = name
        if name.hasSuffix(".") { name = name.dropLast() }
        guard !name.isEmpty else { throw InvalidValue(whole, "is empty", expected: expected) }
        guard name.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw InvalidValue(
                whole, "has characters outside ASCII",
                expected: "the A-label form that devices send, such as xn--bcher-kva.example")
        }
        guard name.utf8.count <= longest else {
            throw InvalidValue(whole, "is \(name.utf8.count) octets long", expected: "at most \(longest) octets")
        }
        guard !name.contains("*") else {
            throw InvalidValue(
                whole, "has a wildcard where none is allowed",
                expected: "'*' only as the whole first label of a client domain")
        }
        let lower = name.lowercased()
        let labels = lower.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            try checkLabel(label, of: whole)
        }
        guard labels.count >= 2 else {
            throw InvalidValue(whole, "has only one label", expected: "a full name such as app.acme.example")
        }
        guard let last = labels.last, !last.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else {
            throw InvalidValue(whole, "ends in a number, so it could be taken for an address", expected: expected)
        }
        return lower
    }

    /// Whether `name` is valid and in its canonical form, at a glance: nearly all names are, and a snapshot has
    /// hundreds of thousands. What is not, or could be an A-label, is looked at in earnest.
    static func isPlain(_ name: Span<UInt8>) -> Bool {
        guard name.count <= longest else { return false }
        var labels = 0
        var start = 0
        var onlyDigits = true
        for index in 0...name.count {
            guard index < name.count, name[index] != UInt8(ascii: ".") else {
                // The end of a label.
                let length = index - start
                guard length > 0, length <= 63 else { return false }
                guard name[start] != UInt8(ascii: "-"), name[index - 1] != UInt8(ascii: "-") else { return false }
                if length >= 4, name[start + 2] == UInt8(ascii: "-"), name[start + 3] == UInt8(ascii: "-") {
                    return false
                }
                labels += 1
                start = index + 1
                if index < name.count { onlyDigits = true }
                continue
            }
            switch name[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"): onlyDigits = false
            default: return false
            }
        }
        return labels >= 2 && !onlyDigits
    }

    private static func checkLabel(_ label: Substring, of whole: String) throws(InvalidValue) {
        let expected = "labels of letters, digits, hyphens and underscores"
        guard !label.isEmpty else { throw InvalidValue(whole, "has an empty label", expected: expected) }
        guard label.utf8.count <= 63 else {
            throw InvalidValue(
                whole, "has a label of \(label.utf8.count) octets", expected: "at most 63 octets a label")
        }
        for byte in label.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                break
            default:
                throw InvalidValue(whole, "has the character '\(Character(Unicode.Scalar(byte)))'", expected: expected)
            }
        }
        guard label.first != "-", label.last != "-" else {
            throw InvalidValue(whole, "has a label that begins or ends with a hyphen", expected: expected)
        }
        if label.dropFirst(2).hasPrefix("--") {
            guard label.hasPrefix("xn--"), Punycode.isALabel(label.dropFirst(4)) else {
                throw InvalidValue(
                    whole, "has the label '\(label)', which is no A-label",
                    expected: "'xn--' followed by valid Punycode (RFC 5891)")
            }
        }
    }
}
