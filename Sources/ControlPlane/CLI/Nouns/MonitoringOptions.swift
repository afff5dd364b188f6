import ArgumentParser
import JSON

/// A number, or the word for having none: `fleet` for a server, which is then watched as the fleet is, `majority` for
/// the fleet's quorum.
enum NumberOrWord<Word: DefaultWord>: ExpressibleByArgument, Equatable {
    case number(Int)
    case word

    init?(argument: String) {
        if argument == Word.text {
            self = .word
        } else if let number = Int(argument) {
            self = .number(number)
        } else {
            return nil
        }
    }

    var json: JSONValue {
        switch self {
        case .number(let number): .integer(number)
        case .word: .null
        }
    }
}

protocol DefaultWord {
    static var text: String { get }
}

enum AsFleet: DefaultWord { static let text = "fleet" }
enum Majority: DefaultWord { static let text = "majority" }

/// How one server is watched; what is not given is not sent.
struct ServerMonitoringOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("From one probe of it to the next, in seconds; 'fleet' as all others.", valueName: "seconds")
    )
    var probeInterval: NumberOrWord<AsFleet>?

    @Option(help: ArgumentHelp("For how long a probe of it may take; 'fleet' as for all others.", valueName: "seconds"))
    var probeTimeout: NumberOrWord<AsFleet>?

    @Option(
        help: ArgumentHelp("How many misses in a row make it count as down; 'fleet' as for all others.", valueName: "n")
    )
    var threshold: NumberOrWord<AsFleet>?

    @Option(
        help: ArgumentHelp("How many answers in a row make it count as up; 'fleet' as for all others.", valueName: "n"))
    var recoveryThreshold: NumberOrWord<AsFleet>?

    @Option(help: ArgumentHelp("How many vantages have to agree; 'fleet' as for all others.", valueName: "n"))
    var quorum: NumberOrWord<AsFleet>?

    @Option(help: ArgumentHelp("The port of its public addresses for plain HTTP, if not 80.", valueName: "port"))
    var probeHttpPort: Int?

    @Option(help: ArgumentHelp("The port of its public addresses for TLS, if not 443.", valueName: "port"))
    var probeHttpsPort: Int?

    /// The members of `monitoring`.
    var members: JSONObject {
        let numbers = [
            ("intervalSeconds", probeInterval), ("timeoutSeconds", probeTimeout), ("threshold", threshold),
            ("recoveryThreshold", recoveryThreshold), ("quorum", quorum),
        ]
        var members: JSONObject = [:]
        for case (let member, let value?) in numbers { members[member] = value.json }
        if let probeHttpPort { members["httpPort"] = .integer(probeHttpPort) }
        if let probeHttpsPort { members["httpsPort"] = .integer(probeHttpsPort) }
        return members
    }
}

/// How monitoring is shown to people.
enum MonitoringText {
    /// What is particular to a server, or that nothing is.
    static func lines(ofServer monitoring: JSONValue) -> [String] {
        let own = [
            ("interval", "intervalSeconds", " s"), ("timeout", "timeoutSeconds", " s"), ("threshold", "threshold", ""),
            ("recovery threshold", "recoveryThreshold", ""), ("quorum", "quorum", ""),
        ].compactMap { label, member, unit in monitoring[member].integer.map { "\(label) \($0)\(unit)" } }
        let ports = (monitoring["httpPort"].integer ?? 80, monitoring["httpsPort"].integer ?? 443)
        let shown = own + (ports == (80, 443) ? [] : ["ports \(ports.0) and \(ports.1)"])
        return shown.isEmpty ? ["as the fleet"] : shown
    }
}
