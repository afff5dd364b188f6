extension OpenAPI {
    /// The members of `components` but its schemas.
    static let parts = #"""
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "parameters": {
          "Name": {
            "name": "name",
            "in": "path",
            "required": true,
            "description": "The resource's name.",
            "schema": {"$ref": "#/components/schemas/Slug"}
          },
          "ZoneName": {
            "name": "name",
            "in": "path",
            "required": true,
            "description": "The zone's apex.",
            "schema": {"$ref": "#/components/schemas/DomainName"}
          },
          "Failover": {
            "name": "id",
            "in": "path",
            "required": true,
            "description": "A failover's number.",
            "schema": {"type": "integer", "minimum": 1}
          },
          "Version": {
            "name": "version",
            "in": "path",
            "required": true,
            "description": "A version's number.",
            "schema": {"type": "integer", "minimum": 1}
          },
          "Other": {
            "name": "other",
            "in": "path",
            "required": true,
            "description": "Another version's number.",
            "schema": {"type": "integer", "minimum": 1}
          },
          "Limit": {
            "name": "limit",
            "in": "query",
            "description": "How many at most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
          },
          "Cursor": {
            "name": "cursor",
            "in": "query",
            "description": "What 'next' of the page before said.",
            "schema": {"type": "string"}
          },
          "CustomerFilter": {
            "name": "customer",
            "in": "query",
            "description": "Only the services of this customer.",
            "schema": {"$ref": "#/components/schemas/Slug"}
          },
          "ServerFilter": {
            "name": "server",
            "in": "query",
            "description": "Only the services that this server carries.",
            "schema": {"$ref": "#/components/schemas/Slug"}
          },
          "FlowServiceFilter": {
            "name": "service",
            "in": "query",
            "description": "Only the flows of this service.",
            "schema": {"$ref": "#/components/schemas/Slug"}
          },
          "FlowClientFilter": {
            "name": "client",
            "in": "query",
            "description": "Only flows of clients with this address, or in this prefix.",
            "schema": {"type": "string"}
          },
          "DryRun": {
            "name": "dry_run",
            "in": "query",
            "description": "Say what would change, and change nothing.",
            "schema": {"type": "boolean", "default": false}
          },
          "Wait": {
            "name": "wait",
            "in": "query",
            "description": "Wait until the servers concerned have applied the change.",
            "schema": {"enum": ["applied"]}
          },
          "Timeout": {
            "name": "timeout",
            "in": "query",
            "description": "For how many seconds to wait.",
            "schema": {"type": "number", "minimum": 0.1, "maximum": 60, "default": 10}
          },
          "After": {
            "name": "after",
            "in": "query",
            "description": "The id of an event: what came after it. Without it and Last-Event-ID, what comes from now on.",
            "schema": {"$ref": "#/components/schemas/EventID"}
          },
          "Follow": {
            "name": "follow",
            "in": "query",
            "description": "Whether to wait for what is to come. If not, all events that are known and asked for are answered.",
            "schema": {"type": "boolean", "default": true}
          },
          "LastEventID": {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "The id of the event that was seen last. It goes before 'after'.",
            "schema": {"$ref": "#/components/schemas/EventID"}
          },
          "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and the same body get the same answer again, and create once. Remembered for a day.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"}
          },
          "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "Only change the resource when its ETag is this one.",
            "schema": {"type": "string", "pattern": "^(\\*|\"[0-9]+\")$"}
          },
          "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "Answer 304 when the ETag is still this one.",
            "schema": {"type": "string", "pattern": "^(\\*|\"[0-9]+\")$"}
          }
        },
        "headers": {
          "ETag": {"description": "The revision, in quotes.", "schema": {"type": "string"}},
          "Location": {"description": "Where the resource is.", "schema": {"type": "string"}},
          "Ddirect-Version": {"description": "The version that the change made.", "schema": {"type": "integer"}},
          "Idempotency-Replayed": {
            "description": "'true' when the creation was done before.",
            "schema": {"type": "string"}
          }
        },
        "responses": {
          "BadRequest": {
            "description": "The body is no JSON, or a parameter is unknown or wrong.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "Unauthorized": {
            "description": "There is no token, or it is not known.",
            "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "NotFound": {
            "description": "There is no such resource.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "MethodNotAllowed": {
            "description": "The method does not apply here.",
            "headers": {"Allow": {"schema": {"type": "string"}}},
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "Conflict": {
            "description": "Another resource stands in the way.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "Stale": {
            "description": "The resource has changed since.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "TooLarge": {
            "description": "The body is over 1 MiB.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "UnsupportedMediaType": {
            "description": "The body has another type than documented.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "Invalid": {
            "description": "Fields are wrong; all of them are named.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "Unavailable": {
            "description": "Not possible at the moment; nothing was changed.",
            "headers": {"Retry-After": {"schema": {"type": "integer"}}},
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          },
          "Problem": {
            "description": "Any other refusal.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          }
        }
        """#
}
