extension OpenAPI {
    /// The members of `paths` for zones.
    static let zonePaths = #"""
        "/api/v1/zones": {
          "get": {
            "operationId": "listZones",
            "summary": "Lists zones by name",
            "parameters": [{"$ref": "#/components/parameters/Limit"}, {"$ref": "#/components/parameters/Cursor"}],
            "responses": {
              "200": {
                "description": "A page",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ZonePage"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "post": {
            "operationId": "createZone",
            "summary": "Creates a zone",
            "parameters": [
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"},
              {"$ref": "#/components/parameters/IdempotencyKey"}
            ],
            "requestBody": {
              "required": true,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ZoneInput"}}}
            },
            "responses": {
              "200": {
                "description": "What a dry run would change",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DryRun"}}}
              },
              "201": {
                "description": "The zone that was created",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Location": {"$ref": "#/components/headers/Location"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"},
                  "Idempotency-Replayed": {"$ref": "#/components/headers/Idempotency-Replayed"}
                },
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Zone"}}}
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
        "/api/v1/zones/{name}": {
          "get": {
            "operationId": "showZone",
            "summary": "Shows a zone",
            "parameters": [
              {"$ref": "#/components/parameters/ZoneName"},
              {"$ref": "#/components/parameters/IfNoneMatch"}
            ],
            "responses": {
              "200": {
                "description": "The zone",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Zone"}}}
              },
              "304": {
                "description": "The sender has the newest revision",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
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
            "operationId": "updateZone",
            "summary": "Changes a zone by a merge patch (RFC 7396)",
            "parameters": [
              {"$ref": "#/components/parameters/ZoneName"},
              {"$ref": "#/components/parameters/IfMatch"},
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"}
            ],
            "requestBody": {
              "required": true,
              "content": {
                "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/ZonePatch"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/ZonePatch"}}
              }
            },
            "responses": {
              "200": {
                "description": "The zone as it is now, or what a dry run would change",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}
                },
                "content": {
                  "application/json": {
                    "schema": {
                      "anyOf": [{"$ref": "#/components/schemas/Zone"}, {"$ref": "#/components/schemas/DryRun"}]
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
            "operationId": "deleteZone",
            "summary": "Deletes a zone",
            "parameters": [
              {"$ref": "#/components/parameters/ZoneName"},
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
        }
        """#
}
