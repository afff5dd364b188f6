import FuzzInput
import Routing

/// No outcome on a prefix differs from that on the whole, a byte at a time finds what the whole does, and what has no
/// body has none.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    for toHEAD in [false, true] { check(input, toHEAD: toHEAD) }
    return 0
}

private func check(_ input: [UInt8], toHEAD: Bool) {
    let whole = inspect(input, toHEAD: toHEAD)
    for cut in cuts(of: input) {
        let outcome = inspect(Array(input[..<cut]), toHEAD: toHEAD)
        require(outcome == .incomplete || outcome == whole, "an outcome is final")
    }
    var scanned = 0
    var outcome = ResponseHead.Outcome.incomplete
    for cut in 0...input.count where outcome == .incomplete {
        outcome = ResponseHead.inspect(input.span.extracting(first: cut), scanned: &scanned, toHEAD: toHEAD)
    }
    require(outcome == whole, "a byte at a time finds what the whole does")

    guard case .head(let head) = whole else { return }
    require(head.length <= input.count && head.length <= ResponseHead.longest, "a head is there when it is found")
    require((100...999).contains(head.status), "a status has three digits")
    require(head.closes || head.framing != .untilClose, "what lasts until the endpoint closes closes")
    require(!toHEAD || head.framing == .none, "a response to HEAD has no body")
    require(!(head.isInterim || head.switchesProtocols) || head.framing == .none, "an interim response has no body")
    for closing in [false, true] where head.changes(closing: closing) {
        checkCopy(input, head, toHEAD: toHEAD, closing: closing)
    }
}

/// A response that is handed on with changes is the same response, and needs no more of them.
private func checkCopy(_ input: [UInt8], _ head: ResponseHead, toHEAD: Bool, closing: Bool) {
    var octets = [UInt8](repeating: 0, count: head.length + ResponseHead.longestGrowth)
    var output = octets.mutableSpan
    guard let count = head.copy(input.span, closing: closing, into: &output) else {
        fatalError("the room that is said to suffice does not")
    }
    let copy = Array(octets[..<count])
    let outcome = inspect(copy, toHEAD: toHEAD)
    if outcome == .malformed, count >= ResponseHead.longest { return }
    guard case .head(let copied) = outcome else { fatalError("a head that is handed on is no head") }
    require(copied.length == count && copied.status == head.status, "a head is handed on with the same meaning")
    require(copied.framing == head.framing, "a head is handed on with the same framing")
    require(copied.closes == (head.closes || closing), "a head is handed on with the end that it has")
    require(!copied.changes(closing: closing) && copied.namedFields.isEmpty, "it needs no more changes")
}

private func inspect(_ bytes: [UInt8], toHEAD: Bool) -> ResponseHead.Outcome {
    var scanned = 0
    return ResponseHead.inspect(bytes.span, scanned: &scanned, toHEAD: toHEAD)
}
