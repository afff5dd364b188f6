/// The description of the API that the daemon serves (OpenAPI 3.1).
///
/// Written by hand, as text, in one file per subject. A test holds it to the router: the paths and methods are the same, every
/// reference leads somewhere, and every operation but the open ones says 401.
enum OpenAPI {
    static let document = #"""
        {
        "openapi": "3.1.0",
        "info": {
          "title": "D-Direct control plane",
          "version": "1",
          "description": "Customers, servers, services, DNS zones, the fleet's settings, and their versions. Errors are problems by RFC 9457."
        },
        "security": [{"token": []}],
        "paths": {
        \#(customerPaths),
        \#(serverPaths),
        \#(flowPaths),
        \#(enrollmentPaths),
        \#(failoverPaths),
        \#(servicePaths),
        \#(zonePaths),
        \#(settingsPaths),
        \#(versionPaths),
        \#(eventPaths),
        \#(processPaths)
        },
        "components": {
        "schemas": {
        \#(valueSchemas),
        \#(resourceSchemas),
        \#(limitSchemas),
        \#(zoneSchemas),
        \#(monitoringSchemas),
        \#(answerSchemas),
        \#(flowSchemas),
        \#(enrollmentSchemas),
        \#(failoverSchemas),
        \#(eventSchemas)
        },
        \#(parts)
        }
        }
        """#
}
