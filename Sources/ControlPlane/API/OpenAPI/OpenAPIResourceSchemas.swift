extension OpenAPI {
    /// The members of `components.schemas` for servers and services.
    static let resourceSchemas = #"""
        "ServerInput": {
          "type": "object",
          "required": ["name", "region", "hostname", "addresses"],
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "region": {"$ref": "#/components/schemas/Slug"},
            "hostname": {"$ref": "#/components/schemas/DomainName"},
            "addresses": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/Address"},
              "minItems": 1,
              "maxItems": 64,
              "uniqueItems": true
            },
            "trustedSenders": {"type": "array", "items": {"$ref": "#/components/schemas/Prefix"}, "maxItems": 256},
            "defaultServices": {
              "type": "object",
              "description": "For connections that name no service that we know: by one of the server's addresses, the service that takes them.",
              "maxProperties": 64,
              "additionalProperties": {"$ref": "#/components/schemas/Slug"}
            },
            "monitoring": {"$ref": "#/components/schemas/MonitoringOverrides"},
            "limits": {"anyOf": [{"$ref": "#/components/schemas/ServerLimits"}, {"type": "null"}]},
            "flowLog": {"anyOf": [{"$ref": "#/components/schemas/FlowLog"}, {"type": "null"}]}
          },
          "additionalProperties": false
        },
        "ServerPatch": {
          "type": "object",
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "region": {"anyOf": [{"$ref": "#/components/schemas/Slug"}, {"type": "null"}]},
            "hostname": {"anyOf": [{"$ref": "#/components/schemas/DomainName"}, {"type": "null"}]},
            "addresses": {
              "anyOf": [
                {
                  "type": "array",
                  "items": {"$ref": "#/components/schemas/Address"},
                  "minItems": 1,
                  "maxItems": 64,
                  "uniqueItems": true
                },
                {"type": "null"}
              ]
            },
            "trustedSenders": {
              "anyOf": [
                {"type": "array", "items": {"$ref": "#/components/schemas/Prefix"}, "maxItems": 256},
                {"type": "null"}
              ]
            },
            "defaultServices": {
              "anyOf": [
                {
                  "type": "object",
                  "description": "For connections that name no service that we know: by one of the server's addresses, the service that takes them.",
                  "maxProperties": 64,
                  "additionalProperties": {"$ref": "#/components/schemas/Slug"}
                },
                {"type": "null"}
              ]
            },
            "monitoring": {"anyOf": [{"$ref": "#/components/schemas/MonitoringOverrides"}, {"type": "null"}]},
            "limits": {"anyOf": [{"$ref": "#/components/schemas/ServerLimits"}, {"type": "null"}]},
            "flowLog": {"anyOf": [{"$ref": "#/components/schemas/FlowLog"}, {"type": "null"}]}
          },
          "additionalProperties": false
        },
        "Server": {
          "type": "object",
          "required": [
            "name",
            "region",
            "hostname",
            "addresses",
            "trustedSenders",
            "defaultServices",
            "monitoring",
            "limits",
            "flowLog",
            "connected",
            "connectedSince",
            "appliedVersion",
            "currentVersion",
            "refusal",
            "softwareVersion",
            "draining",
            "connectionsOpen",
            "connectionsTotal",
            "sessionAddress",
            "certificateExpiresAt",
            "uptimeSeconds",
            "loadPercent",
            "connectFailures",
            "standbyObstacle",
            "services",
            "revision",
            "createdAt",
            "updatedAt"
          ],
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "region": {"$ref": "#/components/schemas/Slug"},
            "hostname": {"$ref": "#/components/schemas/DomainName"},
            "addresses": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/Address"},
              "minItems": 1,
              "maxItems": 64,
              "uniqueItems": true
            },
            "trustedSenders": {"type": "array", "items": {"$ref": "#/components/schemas/Prefix"}, "maxItems": 256},
            "defaultServices": {
              "type": "object",
              "description": "For connections that name no service that we know: by one of the server's addresses, the service that takes them.",
              "maxProperties": 64,
              "additionalProperties": {"$ref": "#/components/schemas/Slug"}
            },
            "monitoring": {"$ref": "#/components/schemas/MonitoringOverrides"},
            "limits": {"$ref": "#/components/schemas/ServerLimits"},
            "flowLog": {"$ref": "#/components/schemas/FlowLog"},
            "connected": {"type": "boolean"},
            "connectedSince": {"anyOf": [{"$ref": "#/components/schemas/Timestamp"}, {"type": "null"}]},
            "appliedVersion": {"type": ["integer", "null"]},
            "currentVersion": {"type": "integer"},
            "refusal": {
              "anyOf": [
                {
                  "type": "object",
                  "required": ["version", "reasons"],
                  "properties": {
                    "version": {"type": "integer"},
                    "reasons": {"type": "array", "items": {"type": "string"}}
                  }
                },
                {"type": "null"}
              ]
            },
            "softwareVersion": {"type": ["string", "null"]},
            "draining": {"type": "boolean"},
            "connectionsOpen": {"type": "integer", "minimum": 0},
            "connectionsTotal": {"type": "integer", "minimum": 0},
            "sessionAddress": {"type": ["string", "null"], "description": "Where its session comes from: an address and a port, or unix."},
            "certificateExpiresAt": {
              "description": "Of the certificate of its session; null over the Unix socket. It renews by itself before.",
              "anyOf": [{"$ref": "#/components/schemas/Timestamp"}, {"type": "null"}]
            },
            "uptimeSeconds": {"type": "integer", "minimum": 0, "description": "Of its ddirect-proxy, as last reported."},
            "loadPercent": {
              "type": "integer",
              "minimum": 0,
              "description": "The load average of its machine for each processor, times 100."
            },
            "connectFailures": {
              "type": "object",
              "description": "By service: how often, in this session, an endpoint could not be connected to.",
              "additionalProperties": {"type": "integer", "minimum": 1}
            },
            "standbyObstacle": {
              "type": ["string", "null"],
              "description": "Why it could not take over the traffic of another server now; null when it could."
            },
            "services": {"type": "integer", "minimum": 0},
            "revision": {"type": "integer", "minimum": 1},
            "createdAt": {"$ref": "#/components/schemas/Timestamp"},
            "updatedAt": {"$ref": "#/components/schemas/Timestamp"},
            "applied": {"$ref": "#/components/schemas/Applied"}
          }
        },
        "ServerPage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Server"}, "maxItems": 1000},
            "next": {"type": ["string", "null"]}
          }
        },
        "Draining": {
          "type": "object",
          "required": ["server", "draining"],
          "properties": {"server": {"$ref": "#/components/schemas/Slug"}, "draining": {"type": "boolean"}}
        },
        "Accepting": {
          "type": "object",
          "required": ["server", "version"],
          "properties": {
            "server": {"$ref": "#/components/schemas/Slug"},
            "version": {"type": "integer", "minimum": 0, "description": "The version that it is sent."}
          }
        },
        "ServiceInput": {
          "type": "object",
          "required": ["name", "customer", "clientDomains", "endpoint", "primary"],
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "customer": {"$ref": "#/components/schemas/Slug"},
            "clientDomains": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/ClientDomain"},
              "minItems": 1,
              "maxItems": 1000,
              "uniqueItems": true
            },
            "endpoint": {"$ref": "#/components/schemas/EndpointInput"},
            "primary": {"$ref": "#/components/schemas/Slug"},
            "standbys": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/Slug"},
              "maxItems": 64,
              "uniqueItems": true
            },
            "acceptProxyProtocol": {"type": "boolean", "default": false},
            "sendProxyProtocol": {"enum": ["off", "v1", "v2"], "default": "off"},
            "forwardedFor": {"enum": ["append", "replace", "off"], "default": "append"},
            "forwardedFields": {"$ref": "#/components/schemas/ForwardedFields"},
            "limits": {"anyOf": [{"$ref": "#/components/schemas/ServiceLimits"}, {"type": "null"}]},
            "allow": {"$ref": "#/components/schemas/ClientPrefixes"},
            "deny": {"$ref": "#/components/schemas/ClientPrefixes"},
            "flowLog": {"anyOf": [{"$ref": "#/components/schemas/FlowLog"}, {"type": "null"}]},
            "dns": {"type": "array", "items": {"$ref": "#/components/schemas/DNSBindingInput"}, "maxItems": 100},
            "check": {"anyOf": [{"$ref": "#/components/schemas/ServiceCheckInput"}, {"type": "null"}]}
          },
          "additionalProperties": false
        },
        "ServicePatch": {
          "type": "object",
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "customer": {"anyOf": [{"$ref": "#/components/schemas/Slug"}, {"type": "null"}]},
            "clientDomains": {
              "anyOf": [
                {
                  "type": "array",
                  "items": {"$ref": "#/components/schemas/ClientDomain"},
                  "minItems": 1,
                  "maxItems": 1000,
                  "uniqueItems": true
                },
                {"type": "null"}
              ]
            },
            "endpoint": {
              "anyOf": [
                {
                  "type": "object",
                  "properties": {
                    "host": {"anyOf": [{"$ref": "#/components/schemas/Host"}, {"type": "null"}]},
                    "httpPort": {"anyOf": [{"$ref": "#/components/schemas/Port"}, {"type": "null"}]},
                    "httpsPort": {"anyOf": [{"$ref": "#/components/schemas/Port"}, {"type": "null"}]},
                    "fallbacks": {
                      "anyOf": [
                        {"type": "array", "items": {"$ref": "#/components/schemas/TargetInput"}, "maxItems": 4},
                        {"type": "null"}
                      ]
                    },
                    "check": {"anyOf": [{"$ref": "#/components/schemas/HealthCheckPatch"}, {"type": "null"}]}
                  },
                  "additionalProperties": false
                },
                {"type": "null"}
              ]
            },
            "primary": {"anyOf": [{"$ref": "#/components/schemas/Slug"}, {"type": "null"}]},
            "standbys": {
              "anyOf": [
                {
                  "type": "array",
                  "items": {"$ref": "#/components/schemas/Slug"},
                  "maxItems": 64,
                  "uniqueItems": true
                },
                {"type": "null"}
              ]
            },
            "acceptProxyProtocol": {"anyOf": [{"type": "boolean", "default": false}, {"type": "null"}]},
            "sendProxyProtocol": {"anyOf": [{"enum": ["off", "v1", "v2"], "default": "off"}, {"type": "null"}]},
            "forwardedFor": {
              "anyOf": [{"enum": ["append", "replace", "off"], "default": "append"}, {"type": "null"}]
            },
            "forwardedFields": {"$ref": "#/components/schemas/ForwardedFields"},
            "limits": {"anyOf": [{"$ref": "#/components/schemas/ServiceLimits"}, {"type": "null"}]},
            "allow": {"anyOf": [{"$ref": "#/components/schemas/ClientPrefixes"}, {"type": "null"}]},
            "deny": {"anyOf": [{"$ref": "#/components/schemas/ClientPrefixes"}, {"type": "null"}]},
            "flowLog": {"anyOf": [{"$ref": "#/components/schemas/FlowLog"}, {"type": "null"}]},
            "dns": {
              "anyOf": [
                {"type": "array", "items": {"$ref": "#/components/schemas/DNSBindingInput"}, "maxItems": 100},
                {"type": "null"}
              ]
            },
            "check": {"anyOf": [{"$ref": "#/components/schemas/ServiceCheckPatch"}, {"type": "null"}]}
          },
          "additionalProperties": false
        },
        "Service": {
          "type": "object",
          "required": [
            "name",
            "customer",
            "clientDomains",
            "endpoint",
            "primary",
            "standbys",
            "acceptProxyProtocol",
            "sendProxyProtocol",
            "forwardedFor",
            "forwardedFields",
            "limits",
            "allow",
            "deny",
            "flowLog",
            "dns",
            "check",
            "revision",
            "createdAt",
            "updatedAt"
          ],
          "properties": {
            "name": {"$ref": "#/components/schemas/Slug"},
            "customer": {"$ref": "#/components/schemas/Slug"},
            "clientDomains": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/ClientDomain"},
              "minItems": 1,
              "maxItems": 1000,
              "uniqueItems": true
            },
            "endpoint": {"$ref": "#/components/schemas/Endpoint"},
            "primary": {"$ref": "#/components/schemas/Slug"},
            "standbys": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/Slug"},
              "maxItems": 64,
              "uniqueItems": true
            },
            "acceptProxyProtocol": {"type": "boolean", "default": false},
            "sendProxyProtocol": {"enum": ["off", "v1", "v2"], "default": "off"},
            "forwardedFor": {"enum": ["append", "replace", "off"], "default": "append"},
            "forwardedFields": {"$ref": "#/components/schemas/ForwardedFields"},
            "limits": {"$ref": "#/components/schemas/ServiceLimits"},
            "allow": {"$ref": "#/components/schemas/ClientPrefixes"},
            "deny": {"$ref": "#/components/schemas/ClientPrefixes"},
            "flowLog": {"$ref": "#/components/schemas/FlowLog"},
            "dns": {"type": "array", "items": {"$ref": "#/components/schemas/DNSBinding"}, "maxItems": 100},
            "check": {"anyOf": [{"$ref": "#/components/schemas/ServiceCheck"}, {"type": "null"}]},
            "revision": {"type": "integer", "minimum": 1},
            "createdAt": {"$ref": "#/components/schemas/Timestamp"},
            "updatedAt": {"$ref": "#/components/schemas/Timestamp"},
            "applied": {"$ref": "#/components/schemas/Applied"}
          }
        },
        "ServicePage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Service"}, "maxItems": 1000},
            "next": {"type": ["string", "null"]}
          }
        }
        """#
}
