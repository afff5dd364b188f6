extension OpenAPI {
    /// The members of `components.schemas` for checks, monitoring and the fleet's settings.
    static let monitoringSchemas = #"""
        "RequestPath": {"type": "string", "pattern": "^/[!-\"$-~]*$", "maxLength": 1000, "examples": ["/health"]},
        "ServiceCheckInput": {
          "type": "object",
          "required": ["path"],
          "properties": {
            "path": {"$ref": "#/components/schemas/RequestPath"},
            "scheme": {"enum": ["https", "http"], "default": "https"},
            "host": {
              "description": "Which of the service's names is called; the first client domain that is no wildcard, unless said.",
              "anyOf": [{"$ref": "#/components/schemas/DomainName"}, {"type": "null"}]
            }
          },
          "additionalProperties": false
        },
        "ServiceCheckPatch": {
          "type": "object",
          "properties": {
            "path": {"anyOf": [{"$ref": "#/components/schemas/RequestPath"}, {"type": "null"}]},
            "scheme": {"anyOf": [{"enum": ["https", "http"], "default": "https"}, {"type": "null"}]},
            "host": {"anyOf": [{"$ref": "#/components/schemas/DomainName"}, {"type": "null"}]}
          },
          "additionalProperties": false
        },
        "ServiceCheck": {
          "type": "object",
          "required": ["path", "scheme", "host"],
          "properties": {
            "path": {"$ref": "#/components/schemas/RequestPath"},
            "scheme": {"enum": ["https", "http"], "default": "https"},
            "host": {"$ref": "#/components/schemas/DomainName"}
          }
        },
        "MonitoringOverrides": {
          "type": "object",
          "description": "How a server is watched where that differs from the fleet; null for as the fleet has it. The ports are those at which its public addresses answer.",
          "properties": {
            "intervalSeconds": {"type": ["integer", "null"], "minimum": 1, "maximum": 3600},
            "timeoutSeconds": {"type": ["integer", "null"], "minimum": 1, "maximum": 3600},
            "threshold": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
            "recoveryThreshold": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
            "quorum": {"type": ["integer", "null"], "minimum": 1, "maximum": 64},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"}
          },
          "additionalProperties": false
        },
        "SettingsInput": {
          "type": "object",
          "description": "A merge patch over all settings: null for what holds when nobody says anything.",
          "properties": {
            "monitoring": {
              "anyOf": [
                {
                  "type": "object",
                  "properties": {
                    "intervalSeconds": {
                      "type": ["integer", "null"],
                      "minimum": 1,
                      "maximum": 3600,
                      "default": 2,
                      "description": "From the start of one probe to that of the next."
                    },
                    "timeoutSeconds": {
                      "type": ["integer", "null"],
                      "minimum": 1,
                      "maximum": 3600,
                      "default": 1,
                      "description": "No longer than the interval."
                    },
                    "threshold": {
                      "type": ["integer", "null"],
                      "minimum": 1,
                      "maximum": 100,
                      "default": 3,
                      "description": "Consecutive misses after which a vantage calls a server down."
                    },
                    "recoveryThreshold": {
                      "type": ["integer", "null"],
                      "minimum": 1,
                      "maximum": 100,
                      "default": 5,
                      "description": "Consecutive answers after which it calls it up again."
                    },
                    "quorum": {
                      "type": ["integer", "null"],
                      "minimum": 1,
                      "maximum": 64,
                      "description": "How many vantages have to agree; null for more than half of those that report."
                    }
                  },
                  "additionalProperties": false
                },
                {"type": "null"}
              ]
            },
            "failover": {
              "anyOf": [
                {
                  "type": "object",
                  "properties": {
                    "automatic": {
                      "anyOf": [
                        {
                          "type": "boolean",
                          "default": true,
                          "description": "Whether a server's failure moves its services without being told to."
                        },
                        {"type": "null"}
                      ]
                    },
                    "failback": {"anyOf": [{"enum": ["manual", "automatic"], "default": "manual"}, {"type": "null"}]},
                    "holdDownSeconds": {
                      "type": ["integer", "null"],
                      "minimum": 0,
                      "maximum": 86400,
                      "default": 300,
                      "description": "For how long a server has to have been well before its services go back to it."
                    }
                  },
                  "additionalProperties": false
                },
                {"type": "null"}
              ]
            },
            "webhooks": {
              "anyOf": [
                {
                  "type": "array",
                  "items": {
                    "type": "object",
                    "description": "Where alerts are sent, and the key that signs them.",
                    "required": ["url", "credential"],
                    "properties": {
                      "url": {"$ref": "#/components/schemas/HTTPAddress"},
                      "credential": {"$ref": "#/components/schemas/Credential"}
                    },
                    "additionalProperties": false
                  },
                  "maxItems": 8
                },
                {"type": "null"}
              ]
            }
          },
          "additionalProperties": false
        },
        "Settings": {
          "type": "object",
          "required": ["monitoring", "failover", "webhooks", "revision", "createdAt", "updatedAt"],
          "properties": {
            "monitoring": {
              "type": "object",
              "required": ["intervalSeconds", "timeoutSeconds", "threshold", "recoveryThreshold", "quorum"],
              "properties": {
                "intervalSeconds": {
                  "type": "integer",
                  "minimum": 1,
                  "maximum": 3600,
                  "default": 2,
                  "description": "From the start of one probe to that of the next."
                },
                "timeoutSeconds": {
                  "type": "integer",
                  "minimum": 1,
                  "maximum": 3600,
                  "default": 1,
                  "description": "No longer than the interval."
                },
                "threshold": {
                  "type": "integer",
                  "minimum": 1,
                  "maximum": 100,
                  "default": 3,
                  "description": "Consecutive misses after which a vantage calls a server down."
                },
                "recoveryThreshold": {
                  "type": "integer",
                  "minimum": 1,
                  "maximum": 100,
                  "default": 5,
                  "description": "Consecutive answers after which it calls it up again."
                },
                "quorum": {
                  "type": ["integer", "null"],
                  "minimum": 1,
                  "maximum": 64,
                  "description": "How many vantages have to agree; null for more than half of those that report."
                }
              }
            },
            "failover": {
              "type": "object",
              "required": ["automatic", "failback", "holdDownSeconds"],
              "properties": {
                "automatic": {
                  "type": "boolean",
                  "default": true,
                  "description": "Whether a server's failure moves its services without being told to."
                },
                "failback": {"enum": ["manual", "automatic"], "default": "manual"},
                "holdDownSeconds": {
                  "type": "integer",
                  "minimum": 0,
                  "maximum": 86400,
                  "default": 300,
                  "description": "For how long a server has to have been well before its services go back to it."
                }
              }
            },
            "webhooks": {
              "type": "array",
              "items": {
                "type": "object",
                "description": "Where alerts are sent, and the key that signs them.",
                "required": ["url", "credential"],
                "properties": {
                  "url": {"$ref": "#/components/schemas/HTTPAddress"},
                  "credential": {"$ref": "#/components/schemas/Credential"}
                },
                "additionalProperties": false
              },
              "maxItems": 8
            },
            "revision": {"type": "integer", "minimum": 0, "description": "0 when nobody has set any."},
            "createdAt": {"anyOf": [{"$ref": "#/components/schemas/Timestamp"}, {"type": "null"}]},
            "updatedAt": {"anyOf": [{"$ref": "#/components/schemas/Timestamp"}, {"type": "null"}]},
            "applied": {"$ref": "#/components/schemas/Applied"}
          }
        }
        """#
}
