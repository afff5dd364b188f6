extension OpenAPI {
    /// The members of `paths` for the flows that are open on a server.
    static let flowPaths = #"""
        "/api/v1/servers/{name}/flows": {
          "get": {
            "operationId": "listFlows",
            "summary": "Lists flows that are open on a server now, the oldest first",
            "description": "The server is asked, and nothing of the answer is kept. Flows that open or close meanwhile may be listed or not.",
            "parameters": [
              {"$ref": "#/components/parameters/Name"},
              {"$ref": "#/components/parameters/FlowServiceFilter"},
              {"$ref": "#/components/parameters/FlowClientFilter"},
              {"$ref": "#/components/parameters/Limit"}
            ],
            "responses": {
              "200": {
                "description": "The flows",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FlowList"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        }
        """#

    /// The members of `components.schemas` for them.
    static let flowSchemas = #"""
        "FlowList": {
          "type": "object",
          "required": ["server", "matching", "complete", "flows"],
          "properties": {
            "server": {"$ref": "#/components/schemas/Slug"},
            "matching": {"type": "integer", "description": "How many match, listed or not."},
            "complete": {
              "type": "boolean",
              "description": "Whether all of the server's workers have answered in time. If not, flows are missing, and are not counted in 'matching'."
            },
            "flows": {"type": "array", "items": {"$ref": "#/components/schemas/OpenFlow"}}
          }
        },
        "OpenFlow": {
          "type": "object",
          "required": [
            "service",
            "monitor",
            "protocol",
            "stage",
            "client",
            "called",
            "endpoint",
            "target",
            "bytesUp",
            "bytesDown",
            "ageMilliseconds",
            "idleMilliseconds",
            "worker"
          ],
          "properties": {
            "service": {
              "type": ["string", "null"],
              "description": "null before the client has named one, for the monitor endpoint, and when the service has been deleted since."
            },
            "monitor": {"type": "boolean", "description": "Whether it is for the server's monitor endpoint."},
            "protocol": {"enum": ["http", "https"]},
            "stage": {"enum": ["opening", "dialling", "relaying", "lingering"]},
            "client": {
              "type": ["string", "null"],
              "description": "Address and port; behind a trusted sender, those that it names."
            },
            "called": {"type": ["string", "null"], "description": "The address and port that the client has called."},
            "endpoint": {"type": ["string", "null"], "description": "Address and port; null before it is connected."},
            "target": {
              "type": ["integer", "null"],
              "description": "0 for the endpoint, then the fallbacks; null when that is not known."
            },
            "bytesUp": {"type": "integer", "description": "Payload from the client."},
            "bytesDown": {"type": "integer", "description": "Payload to the client."},
            "ageMilliseconds": {"type": "integer"},
            "idleMilliseconds": {"type": "integer", "description": "Since when no byte has passed."},
            "worker": {"type": "integer"}
          }
        }
        """#
}
