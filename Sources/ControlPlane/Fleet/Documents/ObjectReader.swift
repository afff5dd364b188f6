package import Domain
package import JSON

/// Reads the members of one JSON object and finds everything that is wrong with them: missing, mistyped, invalid and
/// unknown ones.
package struct ObjectReader {
    private let object: JSONObject
    let pointer: String
    let findings: Findings
    private var known: [String] = []

    /// Nil, with a finding, when `value` is no object.
    package init?(_ value: JSONValue, at pointer: String, _ findings: Findings) {
        guard case .object(let object) = value else {
            findings.add(.invalid(pointer, "This is \(value.kind); expected an object."))
            return nil
        }
        self.object = object
        self.pointer = pointer
        self.findings = findings
    }

    func pointer(to key: String) -> String { pointer + "/" + key }

    /// The member as it stands, or nil with a finding when it is required and missing.
    package mutating func value(_ key: String, required: Bool, expected: String) -> JSONValue? {
        known.append(key)
        if let value = object[key] { return value }
        if required { findings.add(.invalid(pointer(to: key), "'\(key)' is missing; expected \(expected).")) }
        return nil
    }

    package func mistyped(_ value: JSONValue, at pointer: String, expected: String) {
        findings.add(.invalid(pointer, "This is \(value.kind); expected \(expected)."))
    }

    /// A string anywhere below this object, read by `make`.
    func element<Value>(
        _ value: JSONValue, at pointer: String, expected: String, _ make: (String) throws(InvalidValue) -> Value
    ) -> Value? {
        guard case .string(let text) = value else {
            mistyped(value, at: pointer, expected: expected)
            return nil
        }
        do {
            return try make(text)
        } catch {
            findings.add(pointer, error)
            return nil
        }
    }

    func array(_ value: JSONValue, at pointer: String, count: ClosedRange<Int>, expected: String) -> [JSONValue]? {
        guard case .array(let elements) = value else {
            mistyped(value, at: pointer, expected: expected)
            return nil
        }
        guard count.contains(elements.count) else {
            findings.add(
                .invalid(
                    pointer,
                    "This has \(elements.count) elements; expected \(count.lowerBound) to \(count.upperBound), "
                        + "\(expected)."
                ))
            return nil
        }
        return elements
    }

    /// Finds the members that nobody asked for. `readOnly` are those that we send but do not take.
    package func finish(readOnly: [String] = []) {
        for key in object.keys where !known.contains(key) {
            let shown = key.count > 80 ? key.prefix(77) + "…" : key[...]
            let place = pointer + "/" + shown.replacing("~", with: "~0").replacing("/", with: "~1")
            if readOnly.contains(key) {
                findings.add(
                    .invalid(place, "'\(shown)' is told by D-Direct and cannot be set; expected it to be left out."))
            } else {
                findings.add(
                    .invalid(
                        place,
                        "'\(shown)' is an unknown field; expected only "
                            + "\(known.map { "'\($0)'" }.joined(separator: ", "))."
                    ))
            }
        }
    }
}

/// Collects what is wrong while a document is read.
///
/// A class, as readers of nested objects share it; it never leaves the function that made it.
package final class Findings {
    private(set) var violations: [Violation] = []
    private var omitted = 0

    package init() {}

    /// Enough for any honest mistake; a megabyte of wrong fields is not answered by twenty megabytes.
    static let most = 100

    func add(_ violation: Violation) {
        if violations.count < Findings.most { violations.append(violation) } else { omitted += 1 }
    }

    package func add(_ pointer: String, _ problem: InvalidValue) {
        add(.invalid(pointer, "\(problem)."))
    }

    /// What was found, with a last word on what was left out.
    package var all: [Violation] {
        omitted == 0 ? violations : violations + [.invalid("", "\(omitted) more fields are wrong in the same request.")]
    }
}
