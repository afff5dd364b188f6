extension OpenAPI {
    /// The members of `paths` for the certificates of servers.
    static let enrollmentPaths = #"""
        "/api/v1/servers/{name}/enroll": {
          "post": {
            "operationId": "enrollServer",
            "summary": "Makes a token with which the server gets its certificate, once; an unused one stops working",
            "parameters": [{"$ref": "#/components/parameters/Name"}],
            "requestBody": {
              "required": false,
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/EnrollmentInput"}}}
            },
            "responses": {
              "201": {
                "description": "The token, this once",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Enrollment"}}}
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
        "/api/v1/servers/{name}/revoke": {
          "post": {
            "operationId": "revokeServer",
            "summary": "Revokes the server's certificates and its unused token, and ends its session",
            "parameters": [{"$ref": "#/components/parameters/Name"}],
            "responses": {
              "200": {
                "description": "The certificates are revoked",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Revocation"}}}
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

    /// The members of `components.schemas` for the certificates of servers.
    static let enrollmentSchemas = #"""
        "EnrollmentInput": {
          "type": "object",
          "properties": {
            "validForSeconds": {"type": "integer", "minimum": 1, "maximum": 604800, "default": 3600}
          },
          "additionalProperties": false
        },
        "Enrollment": {
          "type": "object",
          "required": ["server", "token", "expiresAt", "authorityFingerprint"],
          "properties": {
            "server": {"$ref": "#/components/schemas/Slug"},
            "token": {"type": "string", "pattern": "^dde_[0-9a-f]{64}$"},
            "expiresAt": {"$ref": "#/components/schemas/Timestamp"},
            "authorityFingerprint": {
              "type": "string",
              "pattern": "^sha256:[0-9a-f]{64}$",
              "description": "What the server knows the control plane by."
            }
          }
        },
        "Revocation": {
          "type": "object",
          "required": ["server", "certificatesRevoked"],
          "properties": {
            "server": {"$ref": "#/components/schemas/Slug"},
            "certificatesRevoked": {"type": "integer", "minimum": 0, "description": "How many were in force."}
          }
        }
        """#
}
