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
          "required": ["host", "httpPort", "httpsPort", "fallbacks"],
          "properties": {
            "host": {"$ref": "#/components/schemas/Host"},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"},
            "fallbacks": {"type": "array", "items": {"$ref": "#/components/schemas/Target"}, "maxItems": 4}
          }
        },
        "EndpointInput": {
          "type": "object",
          "required": ["host"],
          "properties": {
            "host": {"$ref": "#/components/schemas/Host"},
            "httpPort": {"$ref": "#/components/schemas/Port"},
            "httpsPort": {"$ref": "#/components/schemas/Port"},
            "fallbacks": {"type": "array", "items": {"$ref": "#/components/schemas/TargetInput"}, "maxItems": 4}
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
