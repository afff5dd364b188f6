extension OpenAPI {
    /// The members of `paths` for services.
    static let servicePaths = #"""
        "/api/v1/services": {
          "get": {
            "operationId": "listServices",
            "summary": "Lists services by name",
            "parameters": [
              {"$ref": "#/components/parameters/Limit"},
              {"$ref": "#/components/parameters/Cursor"},
              {"$ref": "#/components/parameters/CustomerFilter"},
              {"$ref": "#/components/parameters/ServerFilter"}
            ],
            "responses": {
              "200": {
                "description": "A page",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServicePage"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "post": {
            "operationId": "createService",
            "summary": "Creates a service",
            "parameters": [
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"},
              {"$ref": "#/components/parameters/IdempotencyKey"}
            ],
            "requestBody": {
              "required": true,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServiceInput"}}}
            },
            "responses": {
              "200": {
                "description": "What a dry run would change",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DryRun"}}}
              },
              "201": {
                "description": "The service that was created",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Location": {"$ref": "#/components/headers/Location"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"},
                  "Idempotency-Replayed": {"$ref": "#/components/headers/Idempotency-Replayed"}
                },
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Service"}}}
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
        "/api/v1/services/{name}": {
          "get": {
            "operationId": "showService",
            "summary": "Shows a service",
            "parameters": [
              {"$ref": "#/components/parameters/Name"},
              {"$ref": "#/components/parameters/IfNoneMatch"}
            ],
            "responses": {
              "200": {
                "description": "The service",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Service"}}}
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
            "operationId": "updateService",
            "summary": "Changes a service by a merge patch (RFC 7396)",
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
                "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/ServicePatch"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/ServicePatch"}}
              }
            },
            "responses": {
              "200": {
                "description": "The service as it is now, or what a dry run would change",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}
                },
                "content": {
                  "application/json": {
                    "schema": {
                      "anyOf": [{"$ref": "#/components/schemas/Service"}, {"$ref": "#/components/schemas/DryRun"}]
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
            "operationId": "deleteService",
            "summary": "Deletes a service",
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
        "/api/v1/services/{name}/endpoint-check": {
          "post": {
            "operationId": "checkEndpoint",
            "summary": "Has each server that carries the service resolve and connect to its endpoint now",
            "parameters": [{"$ref": "#/components/parameters/Name"}],
            "requestBody": {
              "required": false,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EndpointCheckInput"}}}
            },
            "responses": {
              "200": {
                "description": "What each server saw",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EndpointCheck"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "413": {"$ref": "#/components/responses/TooLarge"},
              "415": {"$ref": "#/components/responses/UnsupportedMediaType"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        }
        """#
}
