import Foundation
import JSON

/// What each server saw when it was asked to resolve and connect to an endpoint.
struct EndpointCheckReport {
    let body: JSONValue

    init(_ body: JSONValue) { self.body = body }

    /// Everything that went wrong, as sentences that name the server. Empty when nothing did.
    var faults: [String] {
        let servers = body["servers"].items
        let answered = servers.filter { $0["state"].text == "answered" }
        guard !answered.isEmpty else { return ["no server that carries the service answered"] }
        return servers.flatMap { server -> [String] in
            let name = (server["server"].text ?? "a server").printable
            switch server["state"].text {
            case "answered": return server["targets"].items.flatMap { EndpointCheckReport.faults(of: $0, on: name) }
            // A server that is away cannot be asked; that says nothing about the endpoint.
            case "disconnected": return []
            default: return ["\(name) did not answer in time"]
            }
        }
    }

    var isPassed: Bool { faults.isEmpty }

    /// The first thing that went wrong; the rest stands in the table above.
    var shortfall: String {
        let faults = faults
        return "the check failed: \(faults.first ?? "")" + (faults.count > 1 ? "; and \(faults.count - 1) more" : "")
    }

    /// A port counts as reached when one of its addresses was: a device would be sent there.
    private static func faults(of target: JSONValue, on server: String) -> [String] {
        let host = (target["host"].text ?? "the endpoint").printable
        if let error = target["resolveError"].text { return ["\(server): \(error.printable)"] }
        let attempts = target["attempts"].items
        guard !attempts.isEmpty else { return ["\(server) has no address of \(host) to connect to"] }
        let byPort = Dictionary(grouping: attempts) { $0["port"].integer ?? 0 }
        return byPort.sorted { $0.key < $1.key }.compactMap { port, attempts in
            guard attempts.allSatisfy({ !$0["error"].isNull }) else { return nil }
            let reasons = attempts.map { "\($0["address"].text ?? ""): \($0["error"].text ?? "failed")".printable }
            return "\(server) cannot connect to \(host) port \(port) (\(reasons.joined(separator: ", ")))"
        }
    }

    var lines: [String] {
        let servers = body["servers"].items
        guard !servers.isEmpty else { return ["no server carries this service"] }
        return servers.flatMap { server -> [String] in
            let name = (server["server"].text ?? "").printable
            let state = server["state"].text ?? "unknown"
            guard state == "answered" else {
                return ["\(name): \(state == "timeout" ? "no answer in time" : state.printable)"]
            }
            return ["\(name):"] + server["targets"].items.flatMap(EndpointCheckReport.lines)
        }
    }

    private static func lines(of target: JSONValue) -> [String] {
        var heading = "  " + (Target(target)?.description ?? "").printable
        if let error = target["resolveError"].text {
            heading += ": \(error.printable)"
        } else if let time = milliseconds(target["resolveMilliseconds"]), let ttl = target["ttlSeconds"].integer {
            // An address has no time to live, and took no time to resolve.
            heading += ": resolved in \(time), for \(ttl) s"
        }
        let table = Table(columns: [
            .init("") { _ in "   " },
            .init("ADDRESS") { $0["address"].text ?? "" },
            .init("PORT", .right) { $0["port"].integer.map(String.init) ?? "" },
            .init("RESULT") { attempt in
                if let error = attempt["error"].text { return error }
                return "connected" + (milliseconds(attempt["connectMilliseconds"]).map { " in \($0)" } ?? "")
            },
        ])
        let attempts = target["attempts"].items
        return [heading] + (attempts.isEmpty ? [] : table.lines(attempts))
    }

    private static func milliseconds(_ value: JSONValue) -> String? {
        switch value {
        case .integer(let whole): "\(whole) ms"
        case .number(let number): "\((number * 10).rounded() / 10) ms"
        default: nil
        }
    }
}
