extension OpenAPI {
    /// The members of `paths` for versions.
    static let versionPaths = #"""
        "/api/v1/versions": {
          "get": {
            "operationId": "listVersions",
            "summary": "Lists versions, newest first",
            "parameters": [{"$ref": "#/components/parameters/Limit"}, {"$ref": "#/components/parameters/Cursor"}],
            "responses": {
              "200": {
                "description": "A page",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/VersionPage"}}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        },
        "/api/v1/versions/{version}": {
          "get": {
            "operationId": "showVersion",
            "summary": "Shows a version and what it changed",
            "parameters": [{"$ref": "#/components/parameters/Version"}],
            "responses": {
              "200": {
                "description": "The version",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/VersionWithChanges"}}}
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
        "/api/v1/versions/{version}/diff/{other}": {
          "get": {
            "operationId": "compareVersions",
            "summary": "Tells the net difference between the states of two versions, in either order",
            "parameters": [{"$ref": "#/components/parameters/Version"}, {"$ref": "#/components/parameters/Other"}],
            "responses": {
              "200": {
                "description": "The difference",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Difference"}}}
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
        "/api/v1/versions/{version}/restore": {
          "post": {
            "operationId": "restoreVersion",
            "summary": "Makes the state of a version the newest one, as a new version",
            "parameters": [
              {"$ref": "#/components/parameters/Version"},
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"}
            ],
            "responses": {
              "200": {
                "description": "The version that was made, or what a dry run would change",
                "headers": {"Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}},
                "content": {
                  "application/json": {
                    "schema": {
                      "anyOf": [
                        {"$ref": "#/components/schemas/Restoration"},
                        {"$ref": "#/components/schemas/DryRun"}
                      ]
                    }
                  }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "404": {"$ref": "#/components/responses/NotFound"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "422": {"$ref": "#/components/responses/Invalid"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          }
        }
        """#
}
