import Failover
import Fleet
import Hummingbird

/// For failover.
extension OperationDescription {
    static let showFailoverStatus = OperationDescription(
        id: "showFailoverStatus",
        summary: "How the servers are, as the vantages see them, and what would be in the way of a failover",
        answers: [.init(200, "The state of failover", .failoverStatus)])

    static let freezeFleet = OperationDescription(
        id: "freezeFleet", summary: "Has nothing moved until a moment; what is under way goes on",
        body: .json(.freezeInput), mayConflict: true,
        answers: [.init(200, "The fleet is frozen", .freeze)])

    static let unfreezeFleet = OperationDescription(
        id: "unfreezeFleet", summary: "Ends a freeze", answers: [.init(204, "The fleet is not frozen")])

    static let listFailovers = OperationDescription(
        id: "listFailovers", summary: "Failovers, newest first", parameters: Parameter.page,
        answers: [.init(200, "A page of failovers", .page("FailoverPage", of: .failover))])

    static let showFailover = OperationDescription(
        id: "showFailover", summary: "A failover and its timeline", parameters: [.failover],
        answers: [.init(200, "The failover", .failover)])

    static let planFailover = OperationDescription(
        id: "planFailover", summary: "What a failover of the server would do now, and what stops it",
        parameters: [.name], answers: [.init(200, "The plan", .failoverPlan)])

    static let overrideServer = OperationDescription(
        id: "overrideServer", summary: "Has the server count as up or down until a moment, whatever probes say",
        parameters: [.name], body: .json(.overrideInput), mayConflict: true,
        answers: [.init(200, "The override", .override)])

    static let clearOverride = OperationDescription(
        id: "clearOverride", summary: "Goes by probes again", parameters: [.name],
        answers: [.init(204, "Probes count")])

    static let takeFailoverBack = order(
        .failover, "takeFailoverBack", "Takes a failover back that is in force",
        .failbackInput, "It is being taken back")

    static let failServerOver = order(
        .name, "failServerOver",
        "Moves the server's services to their standbys; with forSeconds it is a drill that returns by itself",
        .failoverInput, "It is being done")

    static let failServerBack = order(
        .name, "failServerBack", "Brings back to the server the services that are to be there", .failbackInput,
        "It is being done")

    /// Something that moves services, and goes on after the answer.
    private static func order(
        _ parameter: Parameter, _ id: String, _ summary: String, _ input: Schema, _ note: String
    ) -> OperationDescription {
        OperationDescription(
            id: id, summary: summary, parameters: [parameter], body: .json(input), mayConflict: true,
            answers: [.init(202, note, headers: [.location], .failover)])
    }
}
