import Failover
import Fleet
import Hummingbird

extension OpenAPI {
    static let failoverOperations: [DescribedOperation] = [
        DescribedOperation(
            .get, "/api/v1/failover",
            OperationDescription(
                id: "showFailoverStatus",
                summary: "How the servers are, as the vantages see them, and what would be in the way of a failover",
                answers: [.init(200, "The state of failover", .failoverStatus)])),
        DescribedOperation(
            .put, "/api/v1/failover/freeze",
            OperationDescription(
                id: "freezeFleet", summary: "Has nothing moved until a moment; what is under way goes on",
                body: .json(.freezeInput), mayConflict: true,
                answers: [.init(200, "The fleet is frozen", .freeze)])),
        DescribedOperation(
            .delete, "/api/v1/failover/freeze",
            OperationDescription(
                id: "unfreezeFleet", summary: "Ends a freeze", answers: [.init(204, "The fleet is not frozen")])),
        DescribedOperation(
            .get, "/api/v1/failovers",
            OperationDescription(
                id: "listFailovers", summary: "Failovers, newest first", parameters: Parameter.page,
                answers: [.init(200, "A page of failovers", .page("FailoverPage", of: .failover))])),
        DescribedOperation(
            .get, "/api/v1/failovers/{id}",
            OperationDescription(
                id: "showFailover", summary: "A failover and its timeline", parameters: [.failover],
                answers: [.init(200, "The failover", .failover)])),
        order(
            "/api/v1/failovers/{id}/failback", .failover, "takeFailoverBack", "Takes a failover back that is in force",
            .failbackInput, "It is being taken back"),
        DescribedOperation(
            .get, "/api/v1/servers/{name}/failover-plan",
            OperationDescription(
                id: "planFailover", summary: "What a failover of the server would do now, and what stops it",
                parameters: [.name], answers: [.init(200, "The plan", .failoverPlan)])),
        order(
            "/api/v1/servers/{name}/failover", .name, "failServerOver",
            "Moves the server's services to their standbys; with forSeconds it is a drill that returns by itself",
            .failoverInput, "It is being done"),
        order(
            "/api/v1/servers/{name}/failback", .name, "failServerBack",
            "Brings back to the server the services that are to be there", .failbackInput, "It is being done"),
        DescribedOperation(
            .put, "/api/v1/servers/{name}/override",
            OperationDescription(
                id: "overrideServer", summary: "Has the server count as up or down until a moment, whatever probes say",
                parameters: [.name], body: .json(.overrideInput), mayConflict: true,
                answers: [.init(200, "The override", .override)])),
        DescribedOperation(
            .delete, "/api/v1/servers/{name}/override",
            OperationDescription(
                id: "clearOverride", summary: "Goes by probes again", parameters: [.name],
                answers: [.init(204, "Probes count")])),
    ]

    /// Something that moves services, and goes on after the answer.
    private static func order(
        _ path: String, _ parameter: Parameter, _ id: String, _ summary: String, _ input: Schema, _ note: String
    ) -> DescribedOperation {
        DescribedOperation(
            .post, path,
            OperationDescription(
                id: id, summary: summary, parameters: [parameter], body: .json(input), mayConflict: true,
                answers: [.init(202, note, headers: [.location], .failover)]))
    }
}
