import ArgumentParser
import JSON

struct FlowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows",
        abstract: "Show the flows that are open on a server now, from the client to the endpoint, the oldest first.",
        discussion: """
            The server is asked, and nothing is kept of its answer. A flow is in one of four stages: opening (what the client wants \
            is being read), dialling (the endpoint is being connected to), relaying, and lingering (the last bytes are delivered). \
            UP is what has come from the client, DOWN what has gone to it, IDLE how long no byte has passed.
            """)
    @Argument(help: "The server's name.", completion: .servers)
    var server: String
    @Option(help: ArgumentHelp("Only those of this service.", valueName: "name"), completion: .services)
    var service: String?
    @Option(
        help: ArgumentHelp("Only those of clients with this address, or in this prefix.", valueName: "address[/length]")
    )
    var client: String?
    @Option(help: ArgumentHelp("At most this many, 1 to 1000.", valueName: "number"))
    var limit = 100
    @OptionGroup var connection: APIOptions

    mutating func validate() throws {
        if !(1...1000).contains(limit) {
            throw ValidationError("--limit is \(limit); expected a whole number from 1 to 1000")
        }
    }

    var call: Call {
        var call = Call(.get, "servers", server, "flows")
        call.query = [("limit", String(limit))]
        if let service { call.query.append(("service", service)) }
        if let client { call.query.append(("client", client)) }
        return call
    }

    func run() async throws {
        try await connection.converse { conversation in
            let list = FlowListing(try await conversation.client.send(call).body)
            if conversation.printsJSON { return output(list.body.pretty) }
            output(list.lines(within: Terminal.width))
            list.remarks.forEach { say("(\($0))") }
        }
    }
}

/// A server's answer, and how it is shown to people.
struct FlowListing {
    let body: JSONValue

    init(_ body: JSONValue) { self.body = body }

    private static var table: Table {
        Table(columns: [
            .init("CLIENT") { $0["client"].text ?? "" },
            .init("SERVICE", value: service),
            .init("ENDPOINT") { $0["endpoint"].text ?? "" },
            .init("STAGE") { $0["stage"].text ?? "" },
            .init("UP", .right) { $0["bytesUp"].integer.map(spell(bytes:)) ?? "" },
            .init("DOWN", .right) { $0["bytesDown"].integer.map(spell(bytes:)) ?? "" },
            .init("AGE", .right) { time($0["ageMilliseconds"]) },
            .init("IDLE", .right) { time($0["idleMilliseconds"]) },
        ])
    }

    /// A service may have any name, but not one with brackets.
    private static func service(_ flow: JSONValue) -> String {
        flow["monitor"].bool == true ? "(monitor endpoint)" : flow["service"].text ?? ""
    }

    private static func time(_ milliseconds: JSONValue) -> String {
        guard let milliseconds = milliseconds.integer else { return "" }
        return milliseconds < 1000 ? "\(milliseconds) ms" : spell(seconds: milliseconds / 1000)
    }

    func lines(within width: Int?) -> [String] {
        let flows = body["flows"].items
        return flows.isEmpty ? ["no flow that matches is open"] : FlowListing.table.lines(flows, within: width)
    }

    /// What the table does not show.
    var remarks: [String] {
        var remarks: [String] = []
        let (shown, matching) = (body["flows"].items.count, body["matching"].integer ?? 0)
        if matching > shown {
            remarks.append("\(matching) flows match, and these are the \(shown) oldest; --limit shows up to 1000")
        }
        if body["complete"].bool == false {
            remarks.append("the list is incomplete: a worker of the server has not answered in time")
        }
        return remarks
    }
}

/// A number of bytes, by the unit that leaves few digits: `512 B`, `1.5 kB`, `20 MB`.
func spell(bytes: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var (value, unit) = (Double(bytes), 0)
    // From 999.5 on it would be rounded to 1000.
    while value >= (unit == 0 ? 1000 : 999.5), unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    let tenths = (value * 10).rounded() / 10
    return unit > 0 && tenths < 10 ? "\(tenths) \(units[unit])" : "\(Int(value.rounded())) \(units[unit])"
}
