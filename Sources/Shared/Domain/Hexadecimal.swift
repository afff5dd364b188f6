extension Sequence<UInt8> {
    /// Two lower-case digits an octet.
    package var hexadecimal: String {
        var text = ""
        for octet in self {
            text += octet < 16 ? "0" : ""
            text += String(octet, radix: 16)
        }
        return text
    }
}
