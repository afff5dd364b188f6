import FuzzInput
import Routing

/// A body ends in the same place, or is malformed in the same way, in whatever pieces it comes and however much of it passes unseen.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    for sender in [ChunkedBody.Sender.client, .endpoint] {
        var body = ChunkedBody(from: sender)
        let whole = body.follow(input.span)
        if case .ended(let end) = whole {
            require(end > 0 && end <= input.count, "a body ends within what is there")
            require(body.passable == 0, "nothing passes after the end")
        }
        for size in [1, 3, max(1, input.count / 2)] {
            require(
                follow(input, from: sender, inPiecesOf: size, splicing: false) == whole, "pieces make no difference")
            require(
                follow(input, from: sender, inPiecesOf: size, splicing: true) == whole,
                "what passes unseen makes no difference")
        }
        if sender == .client, case .ended = whole {
            var lenient = ChunkedBody(from: .endpoint)
            require(lenient.follow(input.span) == whole, "what a client may send, an endpoint may")
        }
    }
    return 0
}

private func follow(
    _ input: [UInt8], from sender: ChunkedBody.Sender, inPiecesOf size: Int, splicing: Bool
) -> ChunkedBody.Outcome {
    var body = ChunkedBody(from: sender)
    var position = 0
    while position < input.count {
        if splicing, body.passable > 0 {
            let count = min(body.passable, UInt64(input.count - position))
            body.passed(count)
            position += Int(count)
            continue
        }
        let end = min(position + size, input.count)
        switch body.follow(input.span.extracting(position..<end)) {
        case .more: position = end
        case .ended(let count): return .ended(position + count)
        case .malformed: return .malformed
        }
    }
    return .more
}
