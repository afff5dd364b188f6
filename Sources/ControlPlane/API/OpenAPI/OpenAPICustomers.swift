extension OpenAPI {
    /// The members of `paths` for customers.
    static let customerPaths = #"""
        "/api/v1/customers": {
          "get": {
            "operationId": "listCustomers",
            "summary": "Lists customers by name",
            "parameters": [{"$ref": "#/components/parameters/Limit"}, {"$ref": "#/components/parameters/Cursor"}],
            "responses": {
              "200": {
                "description": "A page",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CustomerPage"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "post": {
            "operationId": "createCustomer",
            "summary": "Creates a customer",
            "parameters": [
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"},
              {"$ref": "#/components/parameters/IdempotencyKey"}
            ],
            "requestBody": {
              "required": true,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CustomerInput"}}}
            },
            "responses": {
              "200": {
                "description": "What a dry run would change",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DryRun"}}}
              },
              "201": {
                "description": "The customer that was created",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Location": {"$ref": "#/components/headers/Location"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"},
                  "Idempotency-Replayed": {"$ref": "#/components/headers/Idempotency-Replayed"}
                },
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Customer"}}}
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
        "/api/v1/customers/{name}": {
          "get": {
            "operationId": "showCustomer",
            "summary": "Shows a customer",
            "parameters": [
              {"$ref": "#/components/parameters/Name"},
              {"$ref": "#/components/parameters/IfNoneMatch"}
            ],
            "responses": {
              "200": {
                "description": "The customer",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Customer"}}}
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
            "operationId": "updateCustomer",
            "summary": "Changes a customer by a merge patch (RFC 7396)",
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
                "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/CustomerPatch"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/CustomerPatch"}}
              }
            },
            "responses": {
              "200": {
                "description": "The customer as it is now, or what a dry run would change",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}
                },
                "content": {
                  "application/json": {
                    "schema": {
                      "anyOf": [{"$ref": "#/components/schemas/Customer"}, {"$ref": "#/components/schemas/DryRun"}]
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
            "operationId": "deleteCustomer",
            "summary": "Deletes a customer",
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
        }
        """#
}
