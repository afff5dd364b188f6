extension OpenAPI {
    /// The members of `paths` for events.
    static let eventPaths = #"""
        "/api/v1/events": {
          "get": {
            "operationId": "followEvents",
            "summary": "Tells what happens in the fleet, as server-sent events (WHATWG HTML)",
            "description": "Each event has an id, its kind as 'event', and an Event as 'data'. A comment comes every 15 seconds. After a gap, resources should be read anew.",
            "parameters": [
              {"$ref": "#/components/parameters/After"},
              {"$ref": "#/components/parameters/Follow"},
              {"$ref": "#/components/parameters/LastEventID"}
            ],
            "responses": {
              "200": {
                "description": "The events, the oldest first",
                "content": {"text/event-stream": {"schema": {"type": "string"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        }
        """#

    /// The members of `components.schemas` for events.
    static let eventSchemas = #"""
        "EventID": {"type": "string", "pattern": "^[0-9a-f]{8}-(0|[1-9][0-9]*)$", "examples": ["5f3a91c2-17"]},
        "Event": {
          "type": "object",
          "required": ["id", "at", "kind", "server", "version", "author", "detail"],
          "properties": {
            "id": {"$ref": "#/components/schemas/EventID"},
            "at": {"$ref": "#/components/schemas/Timestamp"},
            "kind": {
              "enum": [
                "change",
                "session.connected",
                "session.ended",
                "version.refused",
                "version.applied",
                "server.draining",
                "server.undrained",
                "server.accepted",
                "server.enrolled",
                "server.revoked",
                "channel.refused",
                "server.suspect",
                "server.failed",
                "server.recovered",
                "monitor.unanswered",
                "monitor.answered",
                "server.overridden",
                "failover.decided",
                "failover.written",
                "failover.verified",
                "failover.conflict",
                "failover.held",
                "failover.ended",
                "failover.abandoned",
                "failback.ready",
                "standby.unready",
                "standby.ready",
                "fleet.frozen",
                "fleet.unfrozen",
                "gap"
              ]
            },
            "server": {"type": ["string", "null"]},
            "version": {"type": ["integer", "null"]},
            "author": {"type": ["string", "null"]},
            "detail": {"type": "string"}
          }
        }
        """#
}
