public import Domain

/// Everything that is wrong with the settings, so that it can be mended in one go.
public struct SettingsFaults: Error, Equatable, CustomStringConvertible {
    public let sentences: [String]

    public init(_ sentences: [String]) { self.sentences = sentences }

    public var description: String { sentences.joined(separator: "\n") }
}

/// Reads setting after setting, from its flag or else from its environment variable, and remembers what is wrong.
///
/// A setting that is wrong reads as its default, so that reading can go on; `check` then throws.
public struct SettingsReader {
    private let environment: [String: String]
    private var faults: [String] = []

    public init(environment: [String: String]) { self.environment = environment }

    public func check() throws(SettingsFaults) {
        guard faults.isEmpty else { throw SettingsFaults(faults) }
    }

    public mutating func add(fault: String) { faults.append(fault) }

    /// What was set, and by what name; nil when neither the flag nor the variable is.
    public func given(_ flag: String, _ value: String?, _ variable: String) -> (name: String, text: String)? {
        if let value { return (flag, value) }
        // An empty variable is how a unit file or a shell unsets one.
        if let value = environment[variable], !value.isEmpty { return (variable, value) }
        return nil
    }

    /// The same for a flag that may be given several times; in a variable, commas separate.
    public func givenList(_ flag: String, _ values: [String], _ variable: String) -> [(name: String, text: String)] {
        if !values.isEmpty { return values.map { (flag, $0) } }
        return (environment[variable] ?? "").split(separator: ",").map { (variable, $0.filter { $0 != " " }) }
    }

    public mutating func value<Value>(
        _ given: (name: String, text: String), _ read: (String) throws(InvalidValue) -> Value
    ) -> Value? {
        do {
            return try read(given.text)
        } catch {
            faults.append("\(given.name): \(error)")
            return nil
        }
    }

    public mutating func path(_ flag: String, _ value: String?, _ variable: String, default fallback: String) -> String
    {
        path(flag, value, variable, suchAs: fallback) ?? fallback
    }

    /// A path that need not be set.
    public mutating func path(_ flag: String, _ value: String?, _ variable: String, suchAs example: String) -> String? {
        guard let (name, text) = given(flag, value, variable) else { return nil }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            faults.append("\(name) is empty; expected a path such as \(example)")
            return nil
        }
        return text
    }

    /// The addresses of the channel; that of the Unix socket when none is given.
    public mutating func channel(_ flag: String, _ values: [String], _ variable: String) -> [ChannelAddress] {
        let given = givenList(flag, values, variable)
        guard !given.isEmpty else { return [.unix(path: ChannelAddress.usualPath)] }
        return given.compactMap { value($0) { text throws(InvalidValue) in try ChannelAddress(text) } }
    }

    public mutating func number(
        _ flag: String, _ value: String?, _ variable: String, in range: ClosedRange<Int>, default fallback: Int
    ) -> Int {
        guard let (name, text) = given(flag, value, variable) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            faults.append(
                "\(name) is '\(text)'; expected a whole number from \(range.lowerBound) to \(range.upperBound), such as \(fallback)"
            )
            return fallback
        }
        return number
    }

    /// Something that is off unless it is asked for.
    public mutating func yesOrNo(_ flag: String, _ value: String?, _ variable: String) -> Bool {
        guard let (name, text) = given(flag, value, variable) else { return false }
        if text != "yes", text != "no" { faults.append("\(name) is '\(text)'; expected yes or no") }
        return text == "yes"
    }

    /// A time in seconds, to the millisecond.
    public mutating func seconds(
        _ flag: String, _ value: String?, _ variable: String, default fallback: Duration, most: Double = 1_000_000
    ) -> Duration {
        guard let (name, text) = given(flag, value, variable) else { return fallback }
        guard let number = Double(text), (0.1...most).contains(number) else {
            faults.append("\(name) is '\(text)'; expected a number of seconds from 0.1 to \(Int(most)), such as 2.5")
            return fallback
        }
        return .milliseconds(Int((number * 1000).rounded()))
    }
}
