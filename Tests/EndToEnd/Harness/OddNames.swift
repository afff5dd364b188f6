import Foundation

/// A DNS server that misbehaves as a test wants it to; `odddns.py` has the rules.
final class OddNames: NameServer {
    let place: Place
    private let rules: String

    init(_ lines: String...) throws {
        place = try Place.fresh()
        rules = try Scene.present().path("names")
        try write((lines + OddNames.own).joined(separator: "\n") + "\n", to: rules)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "odddns.py").path
        let program = try Program("python3", [script, place.address, "\(place.port)", rules], name: "odddns")
        try eventually("the name server answers: \(program.log)") {
            guard program.isRunning else { throw Failure("the name server has ended: \(program.log)") }
            return try look("up.acme.test")
        }
    }

    /// Each set of rules has a name of its own, by which is seen that it holds.
    private static let own = ["up.acme.test any 0 127.0.0.1"]

    /// Replaces the rules. When this returns, they hold.
    func change(_ lines: String...) throws {
        let mark = "mark-\(UInt32.random(in: 0 ... .max)).acme.test"
        let text = (lines + OddNames.own + ["\(mark) any 0 127.0.0.1"]).joined(separator: "\n") + "\n"
        try write(text, to: "\(rules).new")
        guard unsafe rename("\(rules).new", rules) == 0 else { throw Failure("cannot rename \(rules).new") }
        try eventually("the new rules hold") { try look(mark) }
    }

    private func look(_ name: String) throws -> Bool {
        let arguments = ["+short", "+timeout=1", "+retry=0", "@\(place.address)", "-p", "\(place.port)", name, "A"]
        return try run("kdig", arguments).output.contains("127.0.0.1")
    }
}
