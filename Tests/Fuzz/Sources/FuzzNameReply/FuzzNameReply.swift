import Domain
import FuzzInput
import Replies

/// A part of a message says what the whole says, or nothing; what stands behind a message makes no difference; and what
/// is found is what was asked for.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe fuzzInput(start, count)
    guard let name = try? DomainName("www.acme.example") else { fatalError("the name is good") }
    for family in [Address.Family.ipv4, .ipv6] {
        let whole = NameReply.judge(input.span, asked: name, family)
        for cut in cuts(of: input) {
            let part = NameReply.judge(input.span.extracting(first: cut), asked: name, family)
            require(part == whole || part == .failed(.malformed), "a part says nothing else")
        }
        switch whole {
        case .addresses(let addresses, _):
            require(!addresses.isEmpty && addresses.count <= input.count / 16, "each address has a record")
            require(family == .ipv6 || addresses.allSatisfy { $0.family == .ipv4 }, "of its family")
        case .nothing:
            require(input[2] & 0xFA == 0x80 && input[3] & 0x0F != 2, "only a whole reply says that there is nothing")
        case .failed: continue
        }
        require(NameReply.judge((input + input).span, asked: name, family) == whole, "a message has an end")
    }
    return 0
}
