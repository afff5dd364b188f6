import Foundation
import JSON

/// Seconds since 1970: the moments of a game day are compared between programs.
typealias Moment = Double

func momentNow() -> Moment { Date().timeIntervalSince1970 }

extension JSONValue {
    /// A moment as the API writes it, by RFC 3339.
    var moment: Moment? {
        text.flatMap { try? Date($0, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }?
            .timeIntervalSince1970
    }
}

/// Those who look on during a game day: a device that calls all the time (devicecalls.py), and somebody who asks the
/// authoritative servers twenty times a second what they say (dnswatch.py). Both write down everything, with its
/// moment.
final class Witnesses {
    /// One call of the device.
    struct Call {
        let opened, ended: Moment
        /// Where the name led; nil when it led nowhere.
        let address: String?
        /// Why there was no answer of the service's; nil when there was.
        let fault: String?

        init?(_ line: JSONValue) {
            guard let opened = line["opened"].number, let ended = line["ended"].number else { return nil }
            (self.opened, self.ended) = (opened, ended)
            (address, fault) = (line["address"].text, line["fault"].text)
        }

        var isGood: Bool { fault == nil }
        /// Whether it was answered as soon as a user would want it.
        var isPrompt: Bool { isGood && ended - opened <= 1 }
    }

    /// A server's answer about the name, from the moment on when it was heard first.
    struct Word {
        let at: Moment
        let server: String
        /// The target of the CNAME; or `nothing`, `silent`, or an error such as `NXDOMAIN`.
        let answer: String

        init?(_ line: JSONValue) {
            guard let at = line["at"].number, let server = line["server"].text, let answer = line["answer"].text else {
                return nil
            }
            (self.at, self.server, self.answer) = (at, server, answer)
        }
    }

    /// They go home after this many seconds, whatever became of the test.
    private static let longest = "3600"
    /// How many seconds the device waits for an answer. Where figures are held it gives up as soon as a user would;
    /// elsewhere only a fault takes so long.
    private static let devicePatience = Figures.areHeld ? "1" : "60"

    private let device, watch: Program
    private let authorities: [String]

    init(device: Host, watcher: Host, names: FleetNames, certificate: Certificate) throws {
        authorities = names.authorities.map(\.address)
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        // Without the files that Python would leave beside them.
        self.device = try device.start(
            "python3",
            [
                "-B", "\(folder)/devicecalls.py", FleetNames.app, names.resolver.address, certificate.certificate,
                Witnesses.longest, Witnesses.devicePatience,
            ], name: "device")
        watch = try watcher.start(
            "python3", ["-B", "\(folder)/dnswatch.py", FleetNames.app, Witnesses.longest] + authorities, name: "watch")
        try eventually("the device is answered; it says: \(self.device.log)") { calls.contains(where: \.isGood) }
        try eventually("the watch is answered; it says: \(watch.log)") { words.count >= authorities.count }
    }

    private static func read(_ program: Program) -> [JSONValue] {
        // The last line may not be whole yet.
        program.log.split(separator: "\n").compactMap { try? JSONValue.parse($0.utf8) }
    }

    /// In the order in which they were made.
    var calls: [Call] { Witnesses.read(device).compactMap(Call.init).sorted { $0.opened < $1.opened } }
    var words: [Word] { Witnesses.read(watch).compactMap(Word.init) }

    /// What each authoritative server has answered in turn; that it was silent in between is left out.
    var answers: [[String]] {
        let words = words
        return authorities.map { server in
            words.filter { $0.server == server && $0.answer != "silent" }.map(\.answer).reduce(into: []) {
                if $0.last != $1 { $0.append($1) }
            }
        }
    }

    /// When the last of the authoritative servers had given this answer for the first time after `start`; nil as long
    /// as one has not.
    func everywhere(_ answer: String, after start: Moment) -> Moment? {
        let words = words.filter { $0.at >= start && $0.answer == answer }
        let firsts = authorities.compactMap { server in words.first { $0.server == server }?.at }
        return firsts.count == authorities.count ? firsts.max() : nil
    }

    /// Waits until the service has answered the device through a server, in a call made after `start`.
    @discardableResult
    func awaitAnswer(through address: String, after start: Moment) throws -> Call {
        try eventually("the device is answered through \(address)", every: .milliseconds(50)) {
            calls.first { $0.isGood && $0.address == address && $0.opened > start }
        }
    }

    /// Waits until so many more calls have been made and have ended.
    func awaitMore(_ more: Int) throws {
        let before = calls.count
        try eventually("\(more) more calls", every: .milliseconds(100)) {
            calls.count >= before + more
        }
    }

    /// Waits for as long as it takes to call a server down, and longer.
    func awaitVerdicts() throws { try awaitMore(60 * GameDay.interval) }

    /// The calls made in a time; those under way at its end included.
    func calls(from start: Moment, to end: Moment = .infinity) -> [Call] {
        calls.filter { $0.opened >= start && $0.opened <= end }
    }
}

extension [Witnesses.Call] {
    /// What was wrong, each thing with how often.
    var faults: String {
        Dictionary(grouping: compactMap(\.fault)) { $0 }.map { "\($0.value.count) × \($0.key)" }.sorted().joined(
            separator: "; ")
    }

    /// Where the name led.
    var addresses: Set<String> { Set(compactMap(\.address)) }
}
