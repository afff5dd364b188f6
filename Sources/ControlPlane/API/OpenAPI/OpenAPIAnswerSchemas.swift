extension OpenAPI {
    /// The members of `components.schemas` for what is answered about resources.
    static let answerSchemas = #"""
        "EndpointCheckInput": {
          "type": "object",
          "properties": {"endpoint": {"$ref": "#/components/schemas/EndpointInput"}},
          "additionalProperties": false
        },
        "EndpointCheck": {
          "type": "object",
          "required": ["service", "servers"],
          "properties": {
            "service": {"$ref": "#/components/schemas/Slug"},
            "servers": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["server", "state", "targets"],
                "properties": {
                  "server": {"$ref": "#/components/schemas/Slug"},
                  "state": {"enum": ["answered", "disconnected", "timeout"]},
                  "targets": {"type": "array", "items": {"$ref": "#/components/schemas/CheckedTarget"}}
                }
              }
            }
          }
        },
        "CheckedTarget": {
          "type": "object",
          "required": [
            "host",
            "httpPort",
            "httpsPort",
            "resolveError",
            "ttlSeconds",
            "resolveMilliseconds",
            "attempts"
          ],
          "properties": {
            "host": {"$ref": "#/components/schemas/Host"},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"},
            "resolveError": {"type": ["string", "null"]},
            "ttlSeconds": {"type": ["integer", "null"]},
            "resolveMilliseconds": {"type": "number"},
            "attempts": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["address", "port", "error", "connectMilliseconds"],
                "properties": {
                  "address": {"type": "string"},
                  "port": {"type": "integer"},
                  "error": {"type": ["string", "null"]},
                  "connectMilliseconds": {"type": "number"}
                }
              }
            }
          }
        },
        "Applied": {
          "type": "object",
          "required": ["version", "complete", "servers"],
          "properties": {
            "version": {"type": "integer"},
            "complete": {"type": "boolean", "description": "Whether every one of these servers has applied it. One that is not connected has not."},
            "servers": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["server", "state", "version", "reasons"],
                "properties": {
                  "server": {"$ref": "#/components/schemas/Slug"},
                  "state": {"enum": ["applied", "refused", "pending", "disconnected"]},
                  "version": {"type": ["integer", "null"]},
                  "reasons": {"type": "array", "items": {"type": "string"}}
                }
              }
            }
          }
        },
        "ResourceChange": {
          "type": "object",
          "required": ["kind", "name", "before", "after"],
          "properties": {
            "kind": {"enum": ["customer", "server", "service", "zone", "settings"]},
            "name": {
              "description": "The settings are named fleet.",
              "anyOf": [{"$ref": "#/components/schemas/Slug"}, {"$ref": "#/components/schemas/DomainName"}]
            },
            "before": {"type": ["object", "null"]},
            "after": {"type": ["object", "null"]}
          }
        },
        "DryRun": {
          "type": "object",
          "required": ["dryRun", "changes"],
          "properties": {
            "dryRun": {"const": true},
            "changes": {"type": "array", "items": {"$ref": "#/components/schemas/ResourceChange"}}
          },
          "additionalProperties": false
        },
        "Deletion": {
          "type": "object",
          "required": ["applied"],
          "properties": {"applied": {"$ref": "#/components/schemas/Applied"}},
          "additionalProperties": false
        },
        "Version": {
          "type": "object",
          "required": ["version", "at", "author", "summary", "restoredFrom"],
          "properties": {
            "version": {"type": "integer", "minimum": 1},
            "at": {"$ref": "#/components/schemas/Timestamp"},
            "author": {"type": "string"},
            "summary": {"type": "string"},
            "restoredFrom": {"type": ["integer", "null"]}
          }
        },
        "VersionPage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Version"}, "maxItems": 1000},
            "next": {"type": ["string", "null"]}
          }
        },
        "VersionWithChanges": {
          "allOf": [
            {"$ref": "#/components/schemas/Version"},
            {
              "type": "object",
              "required": ["changes"],
              "properties": {
                "changes": {"type": "array", "items": {"$ref": "#/components/schemas/ResourceChange"}}
              }
            }
          ]
        },
        "Difference": {
          "type": "object",
          "required": ["from", "to", "changes"],
          "properties": {
            "from": {"type": "integer"},
            "to": {"type": "integer"},
            "changes": {"type": "array", "items": {"$ref": "#/components/schemas/ResourceChange"}}
          }
        },
        "Restoration": {
          "type": "object",
          "required": ["version", "restoredFrom", "changes"],
          "properties": {
            "version": {"type": "integer"},
            "restoredFrom": {"type": "integer"},
            "changes": {"type": "array", "items": {"$ref": "#/components/schemas/ResourceChange"}},
            "applied": {"$ref": "#/components/schemas/Applied"}
          }
        },
        "AuditEntry": {
          "type": "object",
          "required": ["id", "at", "author", "action", "target", "version", "outcome", "detail"],
          "properties": {
            "id": {"type": "integer"},
            "at": {"$ref": "#/components/schemas/Timestamp"},
            "author": {"type": "string"},
            "action": {"type": "string", "examples": ["service.update"]},
            "target": {"type": "string"},
            "version": {"type": ["integer", "null"]},
            "outcome": {"enum": ["done", "refused"]},
            "detail": {"type": "string"}
          }
        },
        "AuditPage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/AuditEntry"}, "maxItems": 1000},
            "next": {"type": ["string", "null"]}
          }
        },
        "TokenInput": {
          "type": "object",
          "required": ["name"],
          "properties": {"name": {"$ref": "#/components/schemas/Slug"}},
          "additionalProperties": false
        },
        "NewToken": {
          "type": "object",
          "required": ["name", "token"],
          "properties": {"name": {"$ref": "#/components/schemas/Slug"}, "token": {"type": "string"}}
        },
        "Token": {
          "type": "object",
          "required": ["name", "createdAt"],
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "createdAt": {"$ref": "#/components/schemas/Timestamp"}
          }
        },
        "TokenPage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Token"}, "maxItems": 1000},
            "next": {"type": ["string", "null"]}
          }
        },
        "Problem": {
          "type": "object",
          "required": ["type", "title", "status", "detail"],
          "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}
              }
            }
          }
        }
        """#
}
