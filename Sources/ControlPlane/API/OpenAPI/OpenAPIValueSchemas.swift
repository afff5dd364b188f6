extension OpenAPI {
    /// The members of `components.schemas` for values and customers.
    static let valueSchemas = #"""
        "Slug": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "examples": ["acme-app"]},
        "Timestamp": {"type": "string", "format": "date-time"},
        "DomainName": {"type": "string", "minLength": 3, "maxLength": 253, "examples": ["origin.acme.example"]},
        "ClientDomain": {
          "type": "string",
          "minLength": 3,
          "maxLength": 253,
          "description": "A name in A-label form; '*' only as its whole first label.",
          "examples": ["*.app.example"]
        },
        "Host": {
          "type": "string",
          "minLength": 2,
          "maxLength": 253,
          "description": "A domain name, or an IPv4 or IPv6 address.",
          "examples": ["origin.acme.example"]
        },
        "Address": {"type": "string", "minLength": 2, "maxLength": 45, "examples": ["192.0.2.10"]},
        "Prefix": {"type": "string", "minLength": 2, "maxLength": 49, "examples": ["10.0.0.0/8"]},
        "Port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "Target": {
          "type": "object",
          "required": ["host", "httpPort", "httpsPort"],
          "properties": {
            "host": {"$ref": "#/components/schemas/Host"},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"}
          }
        },
        "TargetInput": {
          "type": "object",
          "required": ["host"],
          "properties": {
            "host": {"$ref": "#/components/schemas/Host"},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"}
          },
          "additionalProperties": false
        },
        "Endpoint": {
          "type": "object",
          "required": ["host", "httpPort", "httpsPort", "fallbacks", "check"],
          "properties": {
            "host": {"$ref": "#/components/schemas/Host"},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"},
            "fallbacks": {"type": "array", "items": {"$ref": "#/components/schemas/Target"}, "maxItems": 4},
            "check": {"anyOf": [{"$ref": "#/components/schemas/HealthCheck"}, {"type": "null"}]}
          }
        },
        "EndpointInput": {
          "type": "object",
          "required": ["host"],
          "properties": {
            "host": {"$ref": "#/components/schemas/Host"},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"},
            "fallbacks": {"type": "array", "items": {"$ref": "#/components/schemas/TargetInput"}, "maxItems": 4},
            "check": {"anyOf": [{"$ref": "#/components/schemas/HealthCheckInput"}, {"type": "null"}]}
          },
          "additionalProperties": false
        },
        "HealthCheck": {
          "type": "object",
          "description": "How each server that carries the service checks the endpoint and its fallbacks: new connections go to the first that is healthy. tcp connects to the HTTPS port, tls makes a handshake there with a client domain as its SNI, http asks the HTTP port for the path, and any status below 500 is an answer.",
          "required": ["kind", "path", "intervalSeconds", "timeoutSeconds", "rise", "fall", "holdDownSeconds"],
          "properties": {
            "kind": {"enum": ["tcp", "tls", "http"]},
            "path": {"$ref": "#/components/schemas/RequestPath"},
            "intervalSeconds": {
              "type": "integer",
              "minimum": 1,
              "maximum": 3600,
              "default": 5,
              "description": "From the start of one check of a target to that of the next."
            },
            "timeoutSeconds": {
              "type": "integer",
              "minimum": 1,
              "maximum": 3600,
              "default": 2,
              "description": "No longer than the interval."
            },
            "rise": {
              "type": "integer",
              "minimum": 1,
              "maximum": 100,
              "default": 2,
              "description": "Consecutive successes that make a target healthy again."
            },
            "fall": {
              "type": "integer",
              "minimum": 1,
              "maximum": 100,
              "default": 3,
              "description": "Consecutive failures that make it unhealthy."
            },
            "holdDownSeconds": {
              "type": "integer",
              "minimum": 0,
              "maximum": 86400,
              "default": 30,
              "description": "For how long it has to have been healthy again before connections go back to it."
            }
          }
        },
        "HealthCheckInput": {
          "type": "object",
          "required": ["kind"],
          "properties": {
            "kind": {"enum": ["tcp", "tls", "http"]},
            "path": {"$ref": "#/components/schemas/RequestPath"},
            "intervalSeconds": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 3600,
              "default": 5,
              "description": "From the start of one check of a target to that of the next."
            },
            "timeoutSeconds": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 3600,
              "default": 2,
              "description": "No longer than the interval."
            },
            "rise": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 100,
              "default": 2,
              "description": "Consecutive successes that make a target healthy again."
            },
            "fall": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 100,
              "default": 3,
              "description": "Consecutive failures that make it unhealthy."
            },
            "holdDownSeconds": {
              "type": ["integer", "null"],
              "minimum": 0,
              "maximum": 86400,
              "default": 30,
              "description": "For how long it has to have been healthy again before connections go back to it."
            }
          },
          "additionalProperties": false
        },
        "HealthCheckPatch": {
          "type": "object",
          "properties": {
            "kind": {"anyOf": [{"enum": ["tcp", "tls", "http"]}, {"type": "null"}]},
            "path": {"anyOf": [{"$ref": "#/components/schemas/RequestPath"}, {"type": "null"}]},
            "intervalSeconds": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 3600,
              "default": 5,
              "description": "From the start of one check of a target to that of the next."
            },
            "timeoutSeconds": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 3600,
              "default": 2,
              "description": "No longer than the interval."
            },
            "rise": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 100,
              "default": 2,
              "description": "Consecutive successes that make a target healthy again."
            },
            "fall": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 100,
              "default": 3,
              "description": "Consecutive failures that make it unhealthy."
            },
            "holdDownSeconds": {
              "type": ["integer", "null"],
              "minimum": 0,
              "maximum": 86400,
              "default": 30,
              "description": "For how long it has to have been healthy again before connections go back to it."
            }
          },
          "additionalProperties": false
        },
        "CustomerInput": {
          "type": "object",
          "required": ["name"],
          "properties": {"name": {"$ref": "#/components/schemas/Slug"}},
          "additionalProperties": false
        },
        "CustomerPatch": {
          "type": "object",
          "properties": {"name": {"$ref": "#/components/schemas/Slug"}},
          "additionalProperties": false
        },
        "Customer": {
          "type": "object",
          "required": ["name", "revision", "createdAt", "updatedAt"],
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "revision": {"type": "integer", "minimum": 1},
            "createdAt": {"$ref": "#/components/schemas/Timestamp"},
            "updatedAt": {"$ref": "#/components/schemas/Timestamp"},
            "applied": {"$ref": "#/components/schemas/Applied"}
          }
        },
        "CustomerPage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Customer"}, "maxItems": 1000},
            "next": {"type": ["string", "null"]}
          }
        }
        """#
}
