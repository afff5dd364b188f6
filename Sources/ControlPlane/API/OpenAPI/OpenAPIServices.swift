import Domain
import Fleet

/// For services, beside what every resource has.
extension OperationDescription {
    static let checkEndpoint = OperationDescription(
        id: "checkEndpoint",
        summary: "Has each server that carries the service resolve and connect to its endpoint now",
        parameters: [.name], body: .json(.endpointCheckInput, isRequired: false),
        answers: [.init(200, "What each server saw", .endpointCheck)])
}

extension Schema {
    fileprivate static let endpointCheckInput = Schema.named(
        "EndpointCheckInput", .object([:], optional: ["endpoint": Endpoint.schema.input], isClosed: true))

    fileprivate static let endpointCheck = Schema.named(
        "EndpointCheck",
        .object([
            "service": .slug,
            "servers": .array(
                of: .object([
                    "server": .slug,
                    "state": .words(["answered", "disconnected", "timeout"]),
                    "targets": .array(of: checkedTarget),
                ])),
        ]))

    private static let checkedTarget = Schema.named(
        "CheckedTarget",
        .object([
            "host": EndpointHost.schema,
            "httpPort": Port.schema,
            "httpsPort": Port.schema,
            "resolveError": .text.orNull(),
            "ttlSeconds": .integer.orNull(),
            "resolveMilliseconds": .number,
            "attempts": .array(
                of: .object([
                    "address": .text, "port": .integer, "error": .text.orNull(), "connectMilliseconds": .number,
                ])),
        ]))
}
