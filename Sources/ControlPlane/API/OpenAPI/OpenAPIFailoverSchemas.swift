extension OpenAPI {
    /// The members of `components.schemas` for failover.
    static let failoverSchemas = #"""
        "FailoverInput": {
          "type": "object",
          "required": ["reason"],
          "properties": {
            "reason": { "type": "string", "minLength": 1, "maxLength": 500 },
            "forSeconds": {
              "type": ["integer", "null"],
              "minimum": 1,
              "maximum": 604800
            },
            "force": {
              "type": "boolean",
              "default": false,
              "description": "Pass over what is known against standbys, and replace records that are not as expected."
            }
          },
          "additionalProperties": false
        },
        "FailbackInput": {
          "type": "object",
          "required": ["reason"],
          "properties": {
            "reason": { "type": "string", "minLength": 1, "maxLength": 500 },
            "force": { "type": "boolean", "default": false }
          },
          "additionalProperties": false
        },
        "FreezeInput": {
          "type": "object",
          "required": ["until", "reason"],
          "properties": {
            "until": {"$ref": "#/components/schemas/Timestamp"},
            "reason": { "type": "string", "minLength": 1, "maxLength": 500 }
          },
          "additionalProperties": false
        },
        "OverrideInput": {
          "type": "object",
          "required": ["state", "until", "reason"],
          "properties": {
            "state": {
              "enum": ["up", "down"]
            },
            "until": {"$ref": "#/components/schemas/Timestamp"},
            "reason": { "type": "string", "minLength": 1, "maxLength": 500 }
          },
          "additionalProperties": false
        },
        "Freeze": {
          "type": "object",
          "required": ["since", "until", "reason", "author"],
          "properties": {
            "since": {"$ref": "#/components/schemas/Timestamp"},
            "until": {"$ref": "#/components/schemas/Timestamp"},
            "reason": { "type": "string" },
            "author": { "type": "string" }
          }
        },
        "Override": {
          "type": "object",
          "required": ["state", "until", "reason", "author"],
          "properties": {
            "state": {
              "enum": ["up", "down"]
            },
            "until": {"$ref": "#/components/schemas/Timestamp"},
            "reason": { "type": "string" },
            "author": { "type": "string" }
          }
        },
        "Failover": {
          "type": "object",
          "required": [
            "id",
            "kind",
            "server",
            "stage",
            "reason",
            "author",
            "at",
            "endedAt",
            "inForce",
            "returnsAt",
            "reverses",
            "moves",
            "zones",
            "traffic"
          ],
          "properties": {
            "id": { "type": "integer" },
            "kind": { "enum": ["automatic", "manual", "drill", "failback"] },
            "server": {"$ref": "#/components/schemas/Slug"},
            "stage": { "enum": ["decided", "writing", "verifying", "following", "done", "abandoned", "conflicted"] },
            "reason": { "type": "string" },
            "author": { "type": "string" },
            "at": {"$ref": "#/components/schemas/Timestamp"},
            "endedAt": { "anyOf": [ {"$ref": "#/components/schemas/Timestamp"}, { "type": "null" } ] },
            "inForce": {
              "type": "boolean",
              "description": "Whether services are where it brought them, or on their way."
            },
            "returnsAt": { "anyOf": [ {"$ref": "#/components/schemas/Timestamp"}, { "type": "null" } ] },
            "reverses": { "type": ["integer", "null"] },
            "moves": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["service", "from", "to", "state"],
                "properties": {
                  "service": {"$ref": "#/components/schemas/Slug"},
                  "from": {"$ref": "#/components/schemas/Slug"},
                  "to": {"$ref": "#/components/schemas/Slug"},
                  "state": {
                    "enum": ["pending", "written", "conflict", "failed"]
                  }
                }
              }
            },
            "zones": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["zone", "state", "attempts", "detail", "records", "authorities"],
                "properties": {
                  "zone": { "type": "string" },
                  "state": { "enum": ["pending", "written", "conflict", "failed"] },
                  "attempts": { "type": "integer", "minimum": 0 },
                  "inDoubt": { "type": "boolean" },
                  "detail": { "type": "string" },
                  "writtenAt": { "anyOf": [ {"$ref": "#/components/schemas/Timestamp"}, { "type": "null" } ] },
                  "verifiedAt": { "anyOf": [ {"$ref": "#/components/schemas/Timestamp"}, { "type": "null" } ] },
                  "authorities": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["server", "agreesAt"],
                      "properties": {
                        "server": { "type": "string" },
                        "agreesAt": { "anyOf": [ {"$ref": "#/components/schemas/Timestamp"}, { "type": "null" } ] },
                        "detail": { "type": "string" }
                      }
                    }
                  },
                  "records": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["service", "name", "before", "after"],
                      "properties": {
                        "service": {"$ref": "#/components/schemas/Slug"},
                        "name": { "type": "string" },
                        "before": {
                          "type": "array",
                          "items": {
                            "type": "string",
                            "description": "A record set: its type, TTL and values, such as `CNAME 5 za1.dfree.example`."
                          }
                        },
                        "after": {
                          "type": "array",
                          "items": {
                            "type": "string",
                            "description": "A record set: its type, TTL and values, such as `CNAME 5 za1.dfree.example`."
                          }
                        },
                        "conflict": { "type": "boolean" }
                      }
                    }
                  }
                }
              }
            },
            "traffic": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["service", "toStandby", "toFailed", "share"],
                "properties": {
                  "service": {"$ref": "#/components/schemas/Slug"},
                  "toStandby": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "New connections at the server that the service moved to."
                  },
                  "toFailed": { "type": "integer", "minimum": 0, "description": "New connections at the server that it left." },
                  "share": { "type": ["number", "null"] },
                  "lastToFailedAt": { "anyOf": [ {"$ref": "#/components/schemas/Timestamp"}, { "type": "null" } ] }
                }
              }
            },
            "timeline": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["at", "kind", "detail", "evidence"],
                "properties": {
                  "at": {"$ref": "#/components/schemas/Timestamp"},
                  "kind": {
                    "enum": [
                      "firstMiss",
                      "decision",
                      "write",
                      "written",
                      "conflict",
                      "verified",
                      "ended",
                      "abandoned",
                      "note"
                    ]
                  },
                  "detail": { "type": "string" },
                  "evidence": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["vantage", "outcome", "misses", "at", "detail"],
                      "properties": {
                        "vantage": { "type": "string", "description": "`control`, or the name of a server." },
                        "outcome": {
                          "enum": ["answered", "missed", "unanswered"],
                          "description": "`unanswered`: connections were taken and traffic flowed, but the answer was missing; no ground for a failover."
                        },
                        "misses": { "type": "integer", "minimum": 0, "description": "In a row, up to the last probe." },
                        "at": {"$ref": "#/components/schemas/Timestamp"},
                        "detail": { "type": "string" }
                      }
                    }
                  }
                }
              }
            }
          }
        },
        "FailoverPage": {
          "type": "object",
          "required": ["items", "next"],
          "properties": {
            "items": { "type": "array", "items": {"$ref": "#/components/schemas/Failover"} },
            "next": { "type": ["string", "null"] }
          }
        },
        "FailoverPlan": {
          "type": "object",
          "required": ["server", "services", "obstacles"],
          "properties": {
            "server": {"$ref": "#/components/schemas/Slug"},
            "services": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["service", "from", "to", "candidates", "records", "obstacles"],
                "properties": {
                  "service": {"$ref": "#/components/schemas/Slug"},
                  "from": {"$ref": "#/components/schemas/Slug"},
                  "to": { "anyOf": [ {"$ref": "#/components/schemas/Slug"}, { "type": "null" } ] },
                  "candidates": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["server", "ready", "obstacles"],
                      "properties": {
                        "server": {"$ref": "#/components/schemas/Slug"},
                        "ready": { "type": "boolean" },
                        "obstacles": { "type": "array", "items": { "type": "string" } }
                      }
                    }
                  },
                  "records": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["zone", "name", "before", "after"],
                      "properties": {
                        "zone": { "type": "string" },
                        "name": { "type": "string" },
                        "before": {
                          "type": "array",
                          "items": {
                            "type": "string",
                            "description": "A record set: its type, TTL and values, such as `CNAME 5 za1.dfree.example`."
                          }
                        },
                        "after": {
                          "type": "array",
                          "items": {
                            "type": "string",
                            "description": "A record set: its type, TTL and values, such as `CNAME 5 za1.dfree.example`."
                          }
                        }
                      }
                    }
                  },
                  "obstacles": { "type": "array", "items": { "type": "string" } }
                }
              }
            },
            "obstacles": {
              "type": "array",
              "items": { "type": "string" },
              "description": "Why nothing would be moved; empty when something would be."
            }
          }
        },
        "FailoverStatus": {
          "type": "object",
          "required": ["frozen", "holding", "servers", "standbys", "zones"],
          "properties": {
            "frozen": { "anyOf": [ {"$ref": "#/components/schemas/Freeze"}, { "type": "null" } ] },
            "holding": { "type": ["string", "null"], "description": "Why the control plane suspects its own network." },
            "servers": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["server", "state", "since", "detail", "override", "failover", "activeServices", "vantages"],
                "properties": {
                  "server": {"$ref": "#/components/schemas/Slug"},
                  "state": { "enum": ["healthy", "suspect", "failed", "failedOver", "recovering"] },
                  "since": {"$ref": "#/components/schemas/Timestamp"},
                  "detail": { "type": "string", "description": "Why nothing is done about it, if so." },
                  "override": { "anyOf": [ {"$ref": "#/components/schemas/Override"}, { "type": "null" } ] },
                  "failover": { "type": ["integer", "null"] },
                  "activeServices": { "type": "integer", "minimum": 0 },
                  "vantages": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["vantage", "outcome", "misses", "at", "detail"],
                      "properties": {
                        "vantage": { "type": "string", "description": "`control`, or the name of a server." },
                        "outcome": {
                          "enum": ["answered", "missed", "unanswered"],
                          "description": "`unanswered`: connections were taken and traffic flowed, but the answer was missing; no ground for a failover."
                        },
                        "misses": { "type": "integer", "minimum": 0, "description": "In a row, up to the last probe." },
                        "at": {"$ref": "#/components/schemas/Timestamp"},
                        "detail": { "type": "string" }
                      }
                    }
                  }
                }
              }
            },
            "standbys": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["service", "server", "ready", "obstacles", "checkedAt"],
                "properties": {
                  "service": {"$ref": "#/components/schemas/Slug"},
                  "server": {"$ref": "#/components/schemas/Slug"},
                  "ready": { "type": "boolean" },
                  "obstacles": { "type": "array", "items": { "type": "string" } },
                  "checkedAt": {"$ref": "#/components/schemas/Timestamp"}
                }
              }
            },
            "zones": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["zone", "ready", "detail", "checkedAt"],
                "properties": {
                  "zone": { "type": "string" },
                  "ready": { "type": "boolean" },
                  "detail": { "type": "string" },
                  "checkedAt": {"$ref": "#/components/schemas/Timestamp"}
                }
              }
            }
          }
        }
        """#
}
