import FuzzInput
import Routing

/// No outcome on a prefix differs from that on the whole, what is asked for is more than there is and no more than is
/// needed, looks that go on from one another find what one look finds, and a hello means the same however it is cut
/// into records.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    let (whole, name) = inspect(input)
    for cut in cuts(of: input) {
        let (outcome, prefixName) = inspect(Array(input[..<cut]))
        if case .incomplete(let until) = outcome {
            require(until > cut, "what is asked for is more than there is")
            if case .hello(let length) = whole { require(until <= length, "no more is asked for than is needed") }
            require(prefixName.isEmpty, "an incomplete hello has no name")
        } else {
            require(outcome == whole && prefixName == name, "an outcome is final")
        }
    }
    requireStepsAgree(input, whole, name)
    guard case .hello(let length) = whole else {
        require(name.isEmpty, "only a hello has a name")
        return 0
    }
    require(length <= input.count && length <= ClientHello.longestOnWire + 16_389, "a hello is there when it is found")
    // A hello in the form of SSL 2.0 has no records.
    guard input[0] == 22 else { return 0 }
    let message = messageOfRecords(input[..<length])
    require(message.count <= ClientHello.longest + 16_384, "a hello is no longer than it may be")
    for size in [1, 7, 300, 16_384] {
        let records = stride(from: 0, to: message.count, by: size).flatMap { place in
            let piece = message[place..<min(place + size, message.count)]
            return [22, 3, 1, UInt8(piece.count >> 8), UInt8(piece.count & 0xFF)] + piece
        }
        let (outcome, again) = inspect(records)
        var end = -1
        if case .hello(let length) = outcome { end = length }
        // What is behind the hello in its last record may now be in records of its own.
        require(end >= 0 && end <= records.count && again == name, "records may cut a hello anywhere")
    }
    return 0
}

/// Looks at as much as each look asks for.
private func requireStepsAgree(_ input: [UInt8], _ whole: ClientHello.Outcome, _ name: RoutingName) {
    var records = HandshakeRecords()
    var found = RoutingName()
    var count = 0
    while true {
        let some = Array(input[..<min(count, input.count)])
        let outcome = ClientHello.inspect(some.span, records: &records, name: &found)
        if case .incomplete(let until) = outcome, count < input.count {
            require(until > count, "each look asks for more")
            count = until
            continue
        }
        require(outcome == whole && found == name, "looks that go on find the same")
        return
    }
}

private func inspect(_ bytes: [UInt8]) -> (ClientHello.Outcome, RoutingName) {
    var name = RoutingName()
    let outcome = ClientHello.inspect(bytes.span, name: &name)
    return (outcome, name)
}

private func messageOfRecords(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var message: [UInt8] = []
    var position = bytes.startIndex
    while position < bytes.endIndex {
        let end = position + 5 + (Int(bytes[position + 3]) << 8 | Int(bytes[position + 4]))
        message += bytes[position + 5..<end]
        position = end
    }
    return message
}
