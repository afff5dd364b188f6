/// The Bootstring parameters and algorithm of RFC 3492, as far as telling a real A-label from a string that only looks
/// like one.
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26

    /// Whether `encoded`, the part behind `xn--`, is what encoding some string with non-ASCII characters gives.
    ///
    /// Decoding alone would accept several spellings of one name, so the decoded string is encoded again and compared.
    static func isALabel(_ encoded: Substring) -> Bool {
        guard let scalars = decode(encoded), scalars.contains(where: { $0 >= 0x80 }) else { return false }
        return encode(scalars).map { $0 == String(encoded) } ?? false
    }

    static func decode(_ encoded: Substring) -> [UInt32]? {
        var output: [UInt32] = []
        var digits = encoded.utf8[...]
        if let delimiter = encoded.utf8.lastIndex(of: UInt8(ascii: "-")) {
            output = encoded.utf8[..<delimiter].map { UInt32($0) }
            digits = encoded.utf8[encoded.utf8.index(after: delimiter)...]
        }
        guard !digits.isEmpty else { return nil }
        var code = 128
        var index = 0
        var bias = 72
        while !digits.isEmpty {
            let before = index
            var weight = 1
            var step = base
            while true {
                guard let byte = digits.popFirst(), let digit = value(of: byte) else { return nil }
                let (product, overflow) = digit.multipliedReportingOverflow(by: weight)
                guard !overflow, product <= 0x7FFF_FFFF - index else { return nil }
                index += product
                let threshold = min(max(step - bias, tMin), tMax)
                if digit < threshold { break }
                guard weight <= 0x7FFF_FFFF / (base - threshold) else { return nil }
                weight *= base - threshold
                step += base
            }
            let count = output.count + 1
            bias = adapt(index - before, count: count, first: before == 0)
            code += index / count
            index %= count
            guard code <= 0x10FFFF, !(0xD800...0xDFFF).contains(code) else { return nil }
            output.insert(UInt32(code), at: index)
            index += 1
        }
        return output
    }

    static func encode(_ scalars: [UInt32]) -> String? {
        var output = scalars.filter { $0 < 0x80 }.map { UInt8($0) }
        let basic = output.count
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var code = 128
        var delta = 0
        var bias = 72
        var handled = basic
        while handled < scalars.count {
            guard let next = scalars.filter({ $0 >= UInt32(code) }).min() else { return nil }
            delta += (Int(next) - code) * (handled + 1)
            code = Int(next)
            for scalar in scalars {
                if scalar < code { delta += 1 }
                guard scalar == code else { continue }
                var rest = delta
                var step = base
                while true {
                    let threshold = min(max(step - bias, tMin), tMax)
                    if rest < threshold { break }
                    output.append(digit(threshold + (rest - threshold) % (base - threshold)))
                    rest = (rest - threshold) / (base - threshold)
                    step += base
                }
                output.append(digit(rest))
                bias = adapt(delta, count: handled + 1, first: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            code += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func adapt(_ delta: Int, count: Int, first: Bool) -> Int {
        var delta = first ? delta / 700 : delta / 2
        delta += delta / count
        var step = 0
        while delta > ((base - tMin) * tMax) / 2 {
            delta /= base - tMin
            step += base
        }
        return step + (base - tMin + 1) * delta / (delta + 38)
    }

    private static func value(of byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a"))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0")) + 26
        default: nil
        }
    }

    private static func digit(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? value + Int(UInt8(ascii: "a")) : value - 26 + Int(UInt8(ascii: "0")))
    }
}
