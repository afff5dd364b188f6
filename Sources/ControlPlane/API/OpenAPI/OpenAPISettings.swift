extension OpenAPI {
    /// The members of `paths` for the settings of the fleet.
    static let settingsPaths = #"""
        "/api/v1/settings": {
          "get": {
            "operationId": "showSettings",
            "summary": "Shows what holds for the whole fleet",
            "parameters": [
              {"$ref": "#/components/parameters/IfNoneMatch"}
            ],
            "responses": {
              "200": {
                "description": "The settings; of revision 0 when nobody has set any",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Settings"}}}
              },
              "304": {
                "description": "The sender has the newest revision",
                "headers": {"ETag": {"$ref": "#/components/headers/ETag"}}
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "503": {"$ref": "#/components/responses/Unavailable"},
              "default": {"$ref": "#/components/responses/Problem"}
            }
          },
          "patch": {
            "operationId": "updateSettings",
            "summary": "Changes what holds for the whole fleet by a merge patch (RFC 7396)",
            "parameters": [
              {"$ref": "#/components/parameters/IfMatch"},
              {"$ref": "#/components/parameters/DryRun"},
              {"$ref": "#/components/parameters/Wait"},
              {"$ref": "#/components/parameters/Timeout"}
            ],
            "requestBody": {
              "required": true,
              "content": {
                "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/SettingsInput"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/SettingsInput"}}
              }
            },
            "responses": {
              "200": {
                "description": "The settings as they are now, or what a dry run would change",
                "headers": {
                  "ETag": {"$ref": "#/components/headers/ETag"},
                  "Ddirect-Version": {"$ref": "#/components/headers/Ddirect-Version"}
                },
                "content": {
                  "application/json": {
                    "schema": {
                      "anyOf": [{"$ref": "#/components/schemas/Settings"}, {"$ref": "#/components/schemas/DryRun"}]
                    }
                  }
                }
              },
              "400": {"$ref": "#/components/responses/BadRequest"},
              "401": {"$ref": "#/components/responses/Unauthorized"},
              "405": {"$ref": "#/components/responses/MethodNotAllowed"},
              "409": {"$ref": "#/components/responses/Conflict"},
              "412": {"$ref": "#/components/responses/Stale"},
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
