import Domain
import FuzzInput
import Routing

/// No outcome on a prefix differs from that on the whole, a byte at a time finds what the whole does, and a head that
/// is handed on with the client's address is read as the same request.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    let (whole, host) = inspect(input)
    for cut in cuts(of: input) {
        let (outcome, prefixHost) = inspect(Array(input[..<cut]))
        require(outcome == .incomplete || (outcome == whole && prefixHost == host), "an outcome is final")
    }
    var scanned = 0
    var trickled = RoutingName()
    var outcome = RequestHead.Outcome.incomplete
    for cut in 0...input.count where outcome == .incomplete {
        outcome = RequestHead.inspect(input.span.extracting(first: cut), scanned: &scanned, host: &trickled)
        require(scanned >= 0 && scanned <= cut, "the search stays within what is there")
    }
    require(outcome == whole && trickled == host, "a byte at a time finds what the whole does")

    guard case .head(let head) = whole else {
        require(host.isEmpty, "only a head has a host")
        return 0
    }
    require(head.length <= input.count && head.length <= RequestHead.longest, "a head is there when it is found")
    guard head.finalAnswer == nil else { return 0 }  // it goes no further
    for addressing in ForwardedFor.allCases {
        for fields in ForwardedFields.allCases {
            checkForwarded(input, head, host, Forwarding(addressing, fields: fields, port: 8080))
        }
    }
    return 0
}

private func inspect(_ bytes: [UInt8]) -> (RequestHead.Outcome, RoutingName) {
    var host = RoutingName()
    var scanned = 0
    let outcome = RequestHead.inspect(bytes.span, scanned: &scanned, host: &host)
    return (outcome, host)
}

private func copy(_ input: [UInt8], _ head: RequestHead, _ forwarding: Forwarding) -> [UInt8] {
    let client = Array("192.0.2.7".utf8)
    var octets = [UInt8](repeating: 0, count: head.longestCopy(forwarding: forwarding, client: client.count))
    var output = octets.mutableSpan
    guard let count = head.copy(input.span, forwarding: forwarding, client: client.span, into: &output) else {
        fatalError("the room that is said to suffice does not")
    }
    return Array(octets[..<count])
}

private func checkForwarded(_ input: [UInt8], _ head: RequestHead, _ host: RoutingName, _ forwarding: Forwarding) {
    let octets = copy(input, head, forwarding)
    let (outcome, copiedHost) = inspect(octets)
    // One field or a few bytes more may be too many; what an endpoint makes of that is for it to say.
    if outcome == .refused(.tooLong) || outcome == .refused(.tooManyFields) { return }
    guard case .head(let copied) = outcome else { fatalError("a head that is handed on is refused") }
    require(copiedHost == host, "a head is handed on for the same host")
    require(
        copied.length == octets.count && copied.framing == head.framing, "a head is handed on with the same framing")
    require(copied.isHEAD == head.isHEAD && copied.closes == head.closes, "a head is handed on with the same meaning")
    require(copied.expectsContinue == head.expectsContinue, "a head is handed on with the same expectation")
    require(head.wantsUpgrade || !copied.wantsUpgrade, "no upgrade is asked for that the client did not ask for")
    require(
        copied.namedFields.isEmpty && !copied.namesTwoHosts, "it has one host, and names no field of another connection"
    )

    let (sent, passed) = (lines(Array(input[..<head.length])), lines(octets))
    let target = passed.target.first ?? " "
    require(target == "/" || passed.target == "*", "the target is a path")
    let known: Set<Substring> = ["close", "keep-alive", "upgrade", "te", "http2-settings"]
    let named = Set(sent.fields.filter { $0.name == "connection" }.flatMap { elements(of: $0.value) }).subtracting(
        known)
    for field in passed.fields {
        require(!["keep-alive", "proxy-connection"].contains(field.name), "nothing of the client's connection is left")
        require(
            !named.contains(Substring(field.name)) || five.contains(dashed(field.name)) || field.name == "connection",
            "nothing that Connection names is left")
    }
    let claims = passed.fields.filter { five.contains(dashed($0.name)) }
    let addresses = passed.fields.filter { $0.name == "x-forwarded-for" }.map { elements(of: $0.value) }
    switch forwarding.addressing {
    case .off: break
    case .append: require(addresses.last?.last == "192.0.2.7", "the client's address comes last")
    case .replace: require(addresses == [["192.0.2.7"]], "replacing leaves one line with one address")
    }
    switch forwarding.fields {
    case .keep: break
    case .strip: require(claims.isEmpty, "stripping leaves nothing")
    case .set:
        require(Set(claims.map(\.name)).count == claims.count, "each is there once")
        require(claims.contains { $0.name == "x-real-ip" && $0.value == " 192.0.2.7" }, "and is ours")
        require(claims.contains { $0.name == "x-forwarded-port" && $0.value == " 8080" }, "and is ours")
    }
    // A head that was handed on needs no change.
    let unchanged = Forwarding(.off)
    guard copied.finalAnswer == nil, !passed.fields.contains(where: { $0.name == "max-forwards" }) else { return }
    require(copy(octets, copied, unchanged) == octets, "a head that was handed on needs no change")
}

private let five: Set<String> = ["forwarded", "x-real-ip", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"]

private func dashed(_ name: String) -> String { String(name.map { $0 == "_" ? "-" : $0 }) }

/// A head's target and fields, read in another way than the parser does. Octets above ASCII become question marks.
private func lines(_ head: [UInt8]) -> (target: String, fields: [(name: String, value: String)]) {
    let text = String(decoding: head.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    let lines = text.split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    let fields = lines.dropFirst().compactMap { line -> (String, String)? in
        guard let colon = line.firstIndex(of: ":") else { return nil }
        return (line[..<colon].lowercased(), String(line[line.index(after: colon)...]))
    }
    return (words.count > 1 ? String(words[1]) : "", fields)
}

private func elements(of value: String) -> [Substring] {
    value.lowercased().split(separator: ",").compactMap { element in
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let start = element.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return nil }
        return start[...last]
    }
}
