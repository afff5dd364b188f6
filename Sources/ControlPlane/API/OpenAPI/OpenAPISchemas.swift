extension OpenAPI {
    /// The members of `components.schemas`.
    static let schemas = #"""
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
        },
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
            }
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
            }
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
            "connected",
            "connectedSince",
            "appliedVersion",
            "currentVersion",
            "refusal",
            "softwareVersion",
            "draining",
            "connectionsOpen",
            "connectionsTotal",
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
            "forwardedFor": {"enum": ["append", "replace", "off"], "default": "append"}
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
                    }
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
            }
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
        },
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
            "complete": {"type": "boolean", "description": "Whether every connected server has applied it."},
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
            "kind": {"enum": ["customer", "server", "service"]},
            "name": {"$ref": "#/components/schemas/Slug"},
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
