import Failover
import Fleet

/// What failover is asked for.
extension Schema {
    static let failoverInput = input(
        "Failover", FailoverOrderFields.reason, FailoverOrderFields.forSeconds, FailoverOrderFields.forceFailover)
    static let failbackInput = input("Failback", FailoverOrderFields.reason, FailoverOrderFields.force)
    static let freezeInput = input("Freeze", FailoverOrderFields.until, FailoverOrderFields.reason)
    static let overrideInput = input(
        "Override", FailoverOrderFields.state, FailoverOrderFields.until, FailoverOrderFields.reason)

    private static func input(_ name: String, _ fields: any Field...) -> Schema {
        DocumentSchema(name, fields: fields).input
    }
}

/// What it answers.
extension Schema {
    static let freeze = Schema.named(
        "Freeze", .object(["since": .timestamp, "until": .timestamp, "reason": .text, "author": .text]))

    static let override = Schema.named(
        "Override",
        .object(["state": .words(of: ServerOverride.State.self), "until": .timestamp, "reason": .text, "author": .text])
    )

    static let failover = Schema.named(
        "Failover",
        .object(
            [
                "id": .integer,
                "kind": .words(of: Failover.Kind.self),
                "server": .slug,
                "stage": .words(of: Failover.Stage.self),
                "reason": .text,
                "author": .text,
                "at": .timestamp,
                "endedAt": .timestamp.orNull(),
                "inForce": .boolean.described("Whether services are where it brought them, or on their way."),
                "returnsAt": .timestamp.orNull(),
                "reverses": .integer.orNull(),
                "moves": .array(
                    of: .object([
                        "service": .slug, "from": .slug, "to": .slug, "state": .words(of: Failover.Move.State.self),
                    ])),
                "zones": .array(of: zoneWork),
                "traffic": .array(of: traffic),
            ],
            optional: [
                "timeline": .array(
                    of: .object([
                        "at": .timestamp, "kind": .words(of: TimelineEntry.Kind.self), "detail": .text,
                        "evidence": .array(of: evidence),
                    ]))
            ]))

    private static let zoneWork = Schema.object(
        [
            "zone": .text,
            "state": .words(of: Failover.Move.State.self),
            "attempts": .integer(0...),
            "detail": .text,
            "records": .array(
                of: .object(
                    ["service": .slug, "name": .text, "before": recordSets, "after": recordSets],
                    optional: ["conflict": .boolean])),
            "authorities": .array(
                of: .object(["server": .text, "agreesAt": .timestamp.orNull()], optional: ["detail": .text])),
        ],
        optional: [
            "inDoubt": .boolean, "writtenAt": .timestamp.orNull(), "verifiedAt": .timestamp.orNull(),
        ])

    private static let traffic = Schema.object(
        [
            "service": .slug,
            "toStandby": .integer(0...).described("New connections at the server that the service moved to."),
            "toFailed": .integer(0...).described("New connections at the server that it left."),
            "share": .number.orNull(),
        ],
        optional: ["lastToFailedAt": .timestamp.orNull()])

    private static let recordSets = Schema.array(
        of: .text.described("A record set: its type, TTL and values, such as `CNAME 5 za1.dfree.example`."))

    private static let evidence = Schema.object([
        "vantage": .text.described("`control`, or the name of a server."),
        "outcome": .words(["answered", "missed", "unanswered"]).described(
            "`unanswered`: connections were taken and traffic flowed, but the answer was missing; "
                + "no ground for a failover."),
        "misses": .integer(0...).described("In a row, up to the last probe."),
        "at": .timestamp,
        "detail": .text,
    ])

    private static let obstacles = Schema.array(of: .text)

    static let failoverPlan = Schema.named(
        "FailoverPlan",
        .object([
            "server": .slug,
            "services": .array(
                of: .object([
                    "service": .slug,
                    "from": .slug,
                    "to": .slug.orNull(),
                    "candidates": .array(
                        of: .object(["server": .slug, "ready": .boolean, "obstacles": obstacles])),
                    "records": .array(
                        of: .object(["zone": .text, "name": .text, "before": recordSets, "after": recordSets])),
                    "obstacles": obstacles,
                ])),
            "obstacles": obstacles.described("Why nothing would be moved; empty when something would be."),
        ]))

    static let failoverStatus = Schema.named(
        "FailoverStatus",
        .object([
            "frozen": freeze.orNull(),
            "holding": .text.orNull().described("Why the control plane suspects its own network."),
            "servers": .array(
                of: .object([
                    "server": .slug,
                    "state": .words(["healthy", "suspect", "failed", "failedOver", "recovering"]),
                    "since": .timestamp,
                    "detail": .text.described("Why nothing is done about it, if so."),
                    "override": override.orNull(),
                    "failover": .integer.orNull(),
                    "activeServices": .integer(0...),
                    "vantages": .array(of: evidence),
                ])),
            "standbys": .array(
                of: .object([
                    "service": .slug, "server": .slug, "ready": .boolean, "obstacles": obstacles,
                    "checkedAt": .timestamp,
                ])),
            "zones": .array(
                of: .object(["zone": .text, "ready": .boolean, "detail": .text, "checkedAt": .timestamp])),
        ]))
}
