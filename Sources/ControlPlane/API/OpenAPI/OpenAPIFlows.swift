import Domain
import Fleet

/// For the flows that are open on a server.
extension OperationDescription {
    static let listFlows = OperationDescription(
        id: "listFlows", summary: "Lists flows that are open on a server now, the oldest first",
        note: "The server is asked, and nothing of the answer is kept. "
            + "Flows that open or close meanwhile may be listed or not.",
        parameters: [.name, .flowService, .flowClient, .limit], mayConflict: true,
        answers: [.init(200, "The flows", .flowList)])
}

extension Schema {
    fileprivate static let flowList = Schema.named(
        "FlowList",
        .object([
            "server": .slug,
            "matching": .integer.described("How many match, listed or not."),
            "complete": .boolean.described(
                "Whether all of the server's workers have answered in time. If not, flows are missing, "
                    + "and are not counted in 'matching'."),
            "flows": .array(of: openFlow),
        ]))

    private static let openFlow = Schema.named(
        "OpenFlow",
        .object([
            "service": .text.orNull().described(
                "null before the client has named one, for the monitor endpoint, "
                    + "and when the service has been deleted since."),
            "monitor": .boolean.described("Whether it is for the server's monitor endpoint."),
            "protocol": .words(["http", "https"]),
            "stage": .words(of: OpenFlow.Stage.self),
            "client": .text.orNull().described("Address and port; behind a trusted sender, those that it names."),
            "called": .text.orNull().described("The address and port that the client has called."),
            "endpoint": .text.orNull().described("Address and port; null before it is connected."),
            "target": .integer.orNull().described(
                "0 for the endpoint, then the fallbacks; null when that is not known."),
            "bytesUp": .integer.described("Payload from the client."),
            "bytesDown": .integer.described("Payload to the client."),
            "ageMilliseconds": .integer,
            "idleMilliseconds": .integer.described("Since when no byte has passed."),
            "worker": .integer,
        ]))
}
