extension OpenAPI {
    /// The members of `components.schemas` for limits, clients, and what is written down of flows.
    static let limitSchemas = #"""
        "Limit": {
          "description": "A number, 'unlimited', or null for the standard limit.",
          "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 1000000000},
            {"const": "unlimited"},
            {"type": "null"}
          ]
        },
        "MinimumRate": {
          "type": ["integer", "null"],
          "minimum": 0,
          "maximum": 1000000,
          "description": "Bytes a second; 0 asks for none, null for the standard rate, 100."
        },
        "ServiceLimits": {
          "type": "object",
          "description": "Of the service on each of its servers. A client is an IPv4 address, or a /64 of IPv6. A connection beyond a limit is refused.",
          "properties": {
            "connections": {
              "description": "Connections open. Standard: unlimited.",
              "$ref": "#/components/schemas/Limit"
            },
            "newConnectionsPerSecond": {
              "description": "Standard: unlimited. As many as a second allows may come at once.",
              "$ref": "#/components/schemas/Limit"
            },
            "clientConnections": {
              "description": "Connections open of one client. Standard: 4096, as carrier NAT puts thousands of phones behind one address.",
              "$ref": "#/components/schemas/Limit"
            },
            "newClientConnectionsPerSecond": {
              "description": "Of one client. Standard: 1000.",
              "$ref": "#/components/schemas/Limit"
            },
            "minimumBytesPerSecond": {
              "description": "While a request body is sent, measured over two minutes.",
              "$ref": "#/components/schemas/MinimumRate"
            }
          },
          "additionalProperties": false
        },
        "ServerLimits": {
          "type": "object",
          "description": "On all that arrives at the server, whatever service it is for. A client is an IPv4 address, or a /64 of IPv6; a trusted sender is none, its connections count for the client that the PROXY header names.",
          "properties": {
            "clientConnections": {
              "description": "Connections open of one client. Standard: 8192.",
              "$ref": "#/components/schemas/Limit"
            },
            "newClientConnectionsPerSecond": {
              "description": "Of one client. Standard: 2000.",
              "$ref": "#/components/schemas/Limit"
            },
            "clientOpenings": {
              "description": "Connections of one client whose TLS hello or first request head has not come whole. Standard: 1024.",
              "$ref": "#/components/schemas/Limit"
            },
            "minimumBytesPerSecond": {
              "description": "While a hello or a request head is sent, from five seconds after its first byte on.",
              "$ref": "#/components/schemas/MinimumRate"
            }
          },
          "additionalProperties": false
        },
        "ClientPrefixes": {
          "type": "array",
          "description": "Client addresses. One in deny is refused; when allow has any, so is one in none of them.",
          "items": {"$ref": "#/components/schemas/Prefix"},
          "maxItems": 1000,
          "uniqueItems": true
        },
        "ForwardedFields": {
          "enum": ["keep", "strip", "set", null],
          "default": null,
          "description": "What becomes of Forwarded, X-Real-IP and X-Forwarded-Proto, -Host and -Port in plain HTTP: passed on as the device sent them, dropped, or dropped and sent anew by us. Null: strip where forwardedFor is replace, else keep."
        },
        "FlowLog": {
          "type": "object",
          "description": "Which flows are written down, one line at the end of each. Null: a service does as its server does, a server writes none.",
          "properties": {
            "oneIn": {
              "type": ["integer", "null"],
              "minimum": 0,
              "maximum": 1000000,
              "description": "One flow in so many: 1 for each, 0 for none."
            },
            "intervalSeconds": {
              "type": ["integer", "null"],
              "minimum": 0,
              "maximum": 86400,
              "description": "A line every so often for flows that last, 0 for only the one at the end. Null: as the server has it, or 300."
            }
          },
          "additionalProperties": false
        }
        """#
}
