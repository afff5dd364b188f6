extension OpenAPI {
    /// The members of `paths` for failover.
    static let failoverPaths = #"""
        "/api/v1/failover": {
          "get": {
            "operationId": "showFailoverStatus",
            "summary": "How the servers are, as the vantages see them, and what would be in the way of a failover",
            "responses": {
              "200": {
                "description": "The state of failover",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/FailoverStatus"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/failover/freeze": {
          "put": {
            "operationId": "freezeFleet",
            "summary": "Has nothing moved until a moment; what is under way goes on",
            "requestBody": {
              "required": true,
              "content": {
                "application/json": { "schema": {"$ref": "#/components/schemas/FreezeInput"} }
              }
            },
            "responses": {
              "200": {
                "description": "The fleet is frozen",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/Freeze"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "413": {"$ref": "#/components/responses/TooLarge"},
              "415": {"$ref": "#/components/responses/UnsupportedMediaType"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "delete": {
            "operationId": "unfreezeFleet",
            "summary": "Ends a freeze",
            "responses": {
              "204": { "description": "The fleet is not frozen" },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/failovers": {
          "get": {
            "operationId": "listFailovers",
            "summary": "Failovers, newest first",
            "parameters": [ {"$ref": "#/components/parameters/Limit"}, {"$ref": "#/components/parameters/Cursor"} ],
            "responses": {
              "200": {
                "description": "A page of failovers",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/FailoverPage"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/failovers/{id}": {
          "get": {
            "operationId": "showFailover",
            "summary": "A failover and its timeline",
            "parameters": [ {"$ref": "#/components/parameters/Failover"} ],
            "responses": {
              "200": {
                "description": "The failover",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/Failover"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/failovers/{id}/failback": {
          "post": {
            "operationId": "takeFailoverBack",
            "summary": "Takes a failover back that is in force",
            "parameters": [ {"$ref": "#/components/parameters/Failover"} ],
            "requestBody": {
              "required": true,
              "content": {
                "application/json": { "schema": {"$ref": "#/components/schemas/FailbackInput"} }
              }
            },
            "responses": {
              "202": {
                "description": "It is being taken back",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/Failover"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "413": {"$ref": "#/components/responses/TooLarge"},
              "415": {"$ref": "#/components/responses/UnsupportedMediaType"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/servers/{name}/failover-plan": {
          "get": {
            "operationId": "planFailover",
            "summary": "What a failover of the server would do now, and what stops it",
            "parameters": [ {"$ref": "#/components/parameters/Name"} ],
            "responses": {
              "200": {
                "description": "The plan",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/FailoverPlan"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/servers/{name}/failover": {
          "post": {
            "operationId": "failServerOver",
            "summary": "Moves the server's services to their standbys; with forSeconds it is a drill that returns by itself",
            "parameters": [ {"$ref": "#/components/parameters/Name"} ],
            "requestBody": {
              "required": true,
              "content": {
                "application/json": { "schema": {"$ref": "#/components/schemas/FailoverInput"} }
              }
            },
            "responses": {
              "202": {
                "description": "It is being done",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/Failover"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "413": {"$ref": "#/components/responses/TooLarge"},
              "415": {"$ref": "#/components/responses/UnsupportedMediaType"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/servers/{name}/failback": {
          "post": {
            "operationId": "failServerBack",
            "summary": "Brings back to the server the services that are to be there",
            "parameters": [ {"$ref": "#/components/parameters/Name"} ],
            "requestBody": {
              "required": true,
              "content": {
                "application/json": { "schema": {"$ref": "#/components/schemas/FailbackInput"} }
              }
            },
            "responses": {
              "202": {
                "description": "It is being done",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/Failover"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "413": {"$ref": "#/components/responses/TooLarge"},
              "415": {"$ref": "#/components/responses/UnsupportedMediaType"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/servers/{name}/override": {
          "put": {
            "operationId": "overrideServer",
            "summary": "Has the server count as up or down until a moment, whatever probes say",
            "parameters": [ {"$ref": "#/components/parameters/Name"} ],
            "requestBody": {
              "required": true,
              "content": {
                "application/json": { "schema": {"$ref": "#/components/schemas/OverrideInput"} }
              }
            },
            "responses": {
              "200": {
                "description": "The override",
                "content": {
                  "application/json": { "schema": {"$ref": "#/components/schemas/Override"} }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "413": {"$ref": "#/components/responses/TooLarge"},
              "415": {"$ref": "#/components/responses/UnsupportedMediaType"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "delete": {
            "operationId": "clearOverride",
            "summary": "Goes by probes again",
            "parameters": [ {"$ref": "#/components/parameters/Name"} ],
            "responses": {
              "204": { "description": "Probes count" },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        }
        """#
}
