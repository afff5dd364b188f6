import Domain
import JSON

extension ObjectReader {
    /// A whole number in `range`. `fallback` when the member is absent or null; nil, with a finding, when it is
    /// anything else.
    package mutating func integer(
        _ key: String, default fallback: Int?, in range: ClosedRange<Int>, expected: String
    ) -> Int? {
        guard let value = value(key, required: false, expected: expected), value != .null else { return fallback }
        guard case .integer(let number) = value else {
            mistyped(value, at: pointer(to: key), expected: expected)
            return nil
        }
        guard range.contains(number) else {
            findings.add(pointer(to: key), InvalidValue(String(number), "is out of range", expected: expected))
            return nil
        }
        return number
    }
}
