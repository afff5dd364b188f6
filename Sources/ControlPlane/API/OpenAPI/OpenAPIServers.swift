extension OpenAPI {
    /// The members of `paths` for servers.
    static let serverPaths = #"""
        "/api/v1/servers": {
          "get": {
            "operationId": "listServers",
            "summary": "Lists servers by name",
            "parameters": [{"$ref": "#/components/parameters/Limit"}, {"$ref": "#/components/parameters/Cursor"}],
            "responses": {
              "200": {
                "description": "A page",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServerPage"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "post": {
            "operationId": "createServer",
            "summary": "Creates a server",
            "parameters": [
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"},
              {"$ref": "#/components/parameters/IdempotencyKey"}
            ],
            "requestBody": {
              "required": true,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServerInput"}}}
            },
            "responses": {
              "200": {
                "description": "What a dry run would change",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DryRun"}}}
              },
              "201": {
                "description": "The server that was created",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Location": {"$ref": "#/components/headers/Location"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"},
                  "Idempotency-Replayed": {"$ref": "#/components/headers/Idempotency-Replayed"}
                },
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Server"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
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
        "/api/v1/servers/{name}": {
          "get": {
            "operationId": "showServer",
            "summary": "Shows a server",
            "parameters": [{"$ref": "#/components/parameters/Name"}],
            "responses": {
              "200": {
                "description": "The server",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Server"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "patch": {
            "operationId": "updateServer",
            "summary": "Changes a server by a merge patch (RFC 7396)",
            "parameters": [
              {"$ref": "#/components/parameters/Name"},
              {"$ref": "#/components/parameters/IfMatch"},
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"}
            ],
            "requestBody": {
              "required": true,
              "content": {
                "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/ServerPatch"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/ServerPatch"}}
              }
            },
            "responses": {
              "200": {
                "description": "The server as it is now, or what a dry run would change",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}
                },
                "content": {
                  "application/json": {
                    "schema": {
                      "anyOf": [{"$ref": "#/components/schemas/Server"}, {"$ref": "#/components/schemas/DryRun"}]
                    }
                  }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "412": {"$ref": "#/components/responses/Stale"},
              "413": {"$ref": "#/components/responses/TooLarge"},
              "415": {"$ref": "#/components/responses/UnsupportedMediaType"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "delete": {
            "operationId": "deleteServer",
            "summary": "Deletes a server",
            "parameters": [
              {"$ref": "#/components/parameters/Name"},
              {"$ref": "#/components/parameters/IfMatch"},
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"}
            ],
            "responses": {
              "200": {
                "description": "What a dry run would change, or who has applied the change",
                "headers": {"Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}},
                "content": {
                  "application/json": {
                    "schema": {
                      "anyOf": [{"$ref": "#/components/schemas/DryRun"}, {"$ref": "#/components/schemas/Deletion"}]
                    }
                  }
                }
              },
              "204": {
                "description": "Deleted",
                "headers": {"Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "412": {"$ref": "#/components/responses/Stale"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        \#(command("drain", "drainServer", "Tells a server to take no new connections and let open ones finish", "Draining")),
        \#(command("undrain", "undrainServer", "Tells a server to take connections again", "Draining")),
        \#(
            command(
                "accept", "acceptOnServer",
                "Tells a server to take this configuration although it holds one of another store, or a newer one",
                "Accepting"))
        """#

    /// Something that a connected server is told, and that changes no configuration.
    private static func command(_ verb: String, _ id: String, _ summary: String, _ answer: String) -> String {
        #"""
        "/api/v1/servers/{name}/\#(verb)": {
          "post": {
            "operationId": "\#(id)",
            "summary": "\#(summary)",
            "parameters": [{"$ref": "#/components/parameters/Name"}],
            "responses": {
              "202": {
                "description": "The server was told",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/\#(answer)"}}}
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
    }
}
