extension OpenAPI {
    /// The members of `components.schemas` for zones and the names in them.
    static let zoneSchemas = #"""
        "TransportAddress": {
          "type": "string",
          "minLength": 4,
          "maxLength": 47,
          "description": "An address and a port; without a port, 53.",
          "examples": ["192.0.2.53:53"]
        },
        "Credential": {
          "type": "string",
          "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
          "description": "The name of a secret: of a file among the control plane's credentials. The secret itself is never sent.",
          "examples": ["acme-tsig"]
        },
        "HTTPAddress": {
          "type": "string",
          "pattern": "^https?://[^/@#][^@#]*$",
          "maxLength": 2000,
          "examples": ["https://alerts.example/ddirect"]
        },
        "ZoneProvider": {
          "oneOf": [
            {
              "type": "object",
              "description": "Dynamic updates (RFC 2136), signed by TSIG.",
              "required": ["kind", "server", "keyName", "credential"],
              "properties": {
                "kind": {"const": "rfc2136"},
                "server": {"$ref": "#/components/schemas/TransportAddress"},
                "keyName": {
                  "type": "string",
                  "minLength": 1,
                  "maxLength": 253,
                  "description": "The name of the TSIG key."
                },
                "algorithm": {"enum": ["hmac-sha256", "hmac-sha512"], "default": "hmac-sha256"},
                "credential": {"$ref": "#/components/schemas/Credential"}
              },
              "additionalProperties": false
            },
            {
              "type": "object",
              "description": "The HTTP API of PowerDNS.",
              "required": ["kind", "url", "credential"],
              "properties": {
                "kind": {"const": "powerdns"},
                "url": {"$ref": "#/components/schemas/HTTPAddress"},
                "serverID": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,100}$", "default": "localhost"},
                "credential": {"$ref": "#/components/schemas/Credential"}
              },
              "additionalProperties": false
            },
            {
              "type": "object",
              "description": "Amazon Route 53.",
              "required": ["kind", "hostedZone", "credential"],
              "properties": {
                "kind": {"const": "route53"},
                "hostedZone": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,100}$"},
                "url": {"anyOf": [{"$ref": "#/components/schemas/HTTPAddress"}, {"type": "null"}]},
                "credential": {"$ref": "#/components/schemas/Credential"}
              },
              "additionalProperties": false
            },
            {
              "type": "object",
              "description": "An executable in the control plane's folder of commands (--commands), which is given the change as JSON.",
              "required": ["kind", "command"],
              "properties": {
                "kind": {"const": "command"},
                "command": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
              },
              "additionalProperties": false
            }
          ]
        },
        "ZoneInput": {
          "type": "object",
          "required": ["name", "provider"],
          "properties": {
            "name": {"$ref": "#/components/schemas/DomainName"},
            "provider": {"$ref": "#/components/schemas/ZoneProvider"},
            "authorities": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/TransportAddress"},
              "maxItems": 16,
              "uniqueItems": true,
              "description": "The authoritative servers that are asked after a change; none for those that the zone's NS records name."
            }
          },
          "additionalProperties": false
        },
        "ZonePatch": {
          "type": "object",
          "properties": {
            "name": {"$ref": "#/components/schemas/DomainName"},
            "provider": {
              "type": "object",
              "description": "Merged member by member: whoever changes the kind sets the members of the other kind to null."
            },
            "authorities": {
              "anyOf": [
                {
                  "type": "array",
                  "items": {"$ref": "#/components/schemas/TransportAddress"},
                  "maxItems": 16,
                  "uniqueItems": true,
                  "description": "The authoritative servers that are asked after a change; none for those that the zone's NS records name."
                },
                {"type": "null"}
              ]
            }
          },
          "additionalProperties": false
        },
        "Zone": {
          "type": "object",
          "required": ["name", "provider", "authorities", "revision", "createdAt", "updatedAt"],
          "properties": {
            "name": {"$ref": "#/components/schemas/DomainName"},
            "provider": {"$ref": "#/components/schemas/ZoneProvider"},
            "authorities": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/TransportAddress"},
              "maxItems": 16,
              "uniqueItems": true,
              "description": "The authoritative servers that are asked after a change; none for those that the zone's NS records name."
            },
            "revision": {"type": "integer", "minimum": 1},
            "createdAt": {"$ref": "#/components/schemas/Timestamp"},
            "updatedAt": {"$ref": "#/components/schemas/Timestamp"},
            "applied": {"$ref": "#/components/schemas/Applied"}
          }
        },
        "ZonePage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Zone"}, "maxItems": 1000},
            "next": {"type": ["string", "null"]}
          }
        },
        "DNSBindingInput": {
          "type": "object",
          "required": ["zone", "name"],
          "properties": {
            "zone": {"$ref": "#/components/schemas/DomainName"},
            "name": {"$ref": "#/components/schemas/DomainName"},
            "kind": {
              "enum": ["cname", "addresses"],
              "default": "cname",
              "description": "A CNAME to the active server's host name, or its addresses as A and AAAA."
            },
            "ttl": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 5}
          },
          "additionalProperties": false
        },
        "DNSBinding": {
          "type": "object",
          "required": ["zone", "name", "kind", "ttl"],
          "properties": {
            "zone": {"$ref": "#/components/schemas/DomainName"},
            "name": {"$ref": "#/components/schemas/DomainName"},
            "kind": {
              "enum": ["cname", "addresses"],
              "default": "cname",
              "description": "A CNAME to the active server's host name, or its addresses as A and AAAA."
            },
            "ttl": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 5}
          }
        }
        """#
}
