/// What the Connection fields of a head say: RFC 9110 section 7.6.1.
///
/// An intermediary drops each field that they name, and says in a Connection field of its own what holds for its own
/// connection. Ours holds for both: the two connections of a flow live and end together, so the options that we know
/// travel on. TE is one of them: it is the endpoint that sends trailers, and the client that has to be able to take
/// them.
struct ConnectionOptions: Hashable, Sendable {
    var close = false
    var keepAlive = false
    var upgrade = false
    var te = false
    var http2Settings = false
    /// The fields that they name besides.
    private(set) var named = NamedFields()

    enum Fault: Hashable { case namesProtected, namesTooMany }

    /// Takes in the options of one line, or of a part of it.
    mutating func read(_ bytes: Span<UInt8>, in value: Range<Int>) -> Fault? {
        var options = ListElements(in: value)
        while let option = options.next(bytes) {
            if bytes.spells("close", in: option) {
                close = true
            } else if bytes.spells("keep-alive", in: option) {
                keepAlive = true
            } else if bytes.spells("upgrade", in: option) {
                upgrade = true
            } else if bytes.spells("te", in: option) {
                te = true
            } else if bytes.spells("http2-settings", in: option) {
                http2Settings = true
            } else {
                guard FieldName(bytes, in: option)?.isProtected != true else { return .namesProtected }
                guard named.insert(bytes, in: option) else { return .namesTooMany }
            }
        }
        return nil
    }

    /// Writes a Connection line with the options that travel on, or nothing when none does.
    ///
    /// It is no more than `longestGrowth` longer than the lines that it stands for.
    func write(_ writer: inout OctetWriter, into output: inout MutableSpan<UInt8>) {
        var isFirst = true
        func put(_ option: String, _ writer: inout OctetWriter, into output: inout MutableSpan<UInt8>) {
            writer.put(isFirst ? "Connection: " : ", ", into: &output)
            writer.put(option, into: &output)
            isFirst = false
        }
        if close { put("close", &writer, into: &output) }
        if keepAlive, !close { put("keep-alive", &writer, into: &output) }
        if upgrade { put("Upgrade", &writer, into: &output) }
        if te { put("TE", &writer, into: &output) }
        if http2Settings { put("HTTP2-Settings", &writer, into: &output) }
        if !isFirst { writer.put("\r\n", into: &output) }
    }

    /// `Connection: close` and a CR LF, where there was no such line. Where there was one, a blank behind each option
    /// and the colon comes to less.
    static let longestGrowth = 19
}

/// The names of a few fields, in place: as hashes, which need no memory of the head's life.
///
/// Two names with one hash would be taken for one, and a field be dropped that nobody named. Only the sender of the
/// head can bring that about, and only to fields of its own, which it could as well have left out.
public struct NamedFields: Hashable, Sendable, BitwiseCopyable {
    /// No honest sender names more than two or three.
    static let most = 8

    private var hashes = SIMD8<UInt32>()
    private(set) var count: UInt8 = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// Adds the name in `range`; false when there is no room.
    mutating func insert(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        guard !contains(bytes, in: range) else { return true }
        guard Int(count) < NamedFields.most else { return false }
        hashes[Int(count)] = NamedFields.hash(bytes, in: range)
        count &+= 1  // at most `most`
        return true
    }

    func contains(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        count > 0 && any(hashes .== SIMD8(repeating: NamedFields.hash(bytes, in: range)))
    }

    subscript(index: Int) -> UInt32 { hashes[index] }

    /// FNV-1a of the name in lower case; never 0, which stands for no name.
    static func hash(_ bytes: Span<UInt8>, in range: Range<Int>) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for index in range { hash = (hash ^ UInt32(bytes[index].lowercased)) &* 0x0100_0193 }
        return max(hash, 1)
    }
}
