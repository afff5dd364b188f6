import Foundation

/// nginx as an endpoint: sites on addresses of their own, all on the same ports, with HTTP and HTTPS, with and without
/// PROXY headers.
final class Nginx {
    /// One site: `name` is in everything that it answers.
    struct Site {
        let name: String
        let address: String
        let ports: Ports

        var endpoint: Endpoint { Endpoint(host: address, httpPort: ports.http, httpsPort: ports.https) }
        /// The same site where it wants a PROXY header before all else.
        var proxyEndpoint: Endpoint { Endpoint(host: address, httpPort: ports.proxyHTTP, httpsPort: ports.proxyHTTPS) }
        var http: Place { Place(address: address, port: ports.http) }
        var https: Place { Place(address: address, port: ports.https) }
    }

    struct Ports {
        let http, https, proxyHTTP, proxyHTTPS: UInt16

        /// Four that are free on an address of this test's own, and so on its other ones.
        init() throws {
            let places = try Place.fresh(4)
            (http, https, proxyHTTP, proxyHTTPS) = (places[0].port, places[1].port, places[2].port, places[3].port)
        }
    }

    let sites: [Site]
    let certificate: Certificate
    /// What is served below /files/, and where uploads arrive.
    let files: String
    let program: Program

    init(_ names: String...) throws {
        let scene = try Scene.present()
        let folder = try makeFolder(scene.path("nginx"))
        let files = try makeFolder("\(folder)/files")
        let certificate = try Certificate()
        let ports = try Ports()
        let sites = names.map { Site(name: $0, address: Loopback.fresh(), ports: ports) }
        let configuration = "\(folder)/nginx.conf"
        try write(Nginx.configuration(folder, certificate, sites), to: configuration)
        // One process: a worker would outlive a master that is killed.
        let program = try Program("nginx", ["-c", configuration, "-e", "\(folder)/error.log"])
        (self.sites, self.certificate, self.files, self.program) = (sites, certificate, files, program)
        try eventually("nginx answers: \(text(ofFile: "\(folder)/error.log"))") {
            guard program.isRunning else {
                throw Failure("nginx has ended: \(program.log) \(text(ofFile: "\(folder)/error.log"))")
            }
            return (try? HTTPResponse.get("/", at: sites[0].http))?.status == 200
        }
    }

    var first: Site { sites[0] }
    var second: Site { sites[1] }

    /// What `/` answers: who was reached, by what name, from where, and what it was told about the client.
    private static let answer =
        "name=%@ host=$host sni=$ssl_server_name xff=$http_x_forwarded_for from=$remote_addr "
        + "proxied=$proxy_protocol_addr:$proxy_protocol_port to=$proxy_protocol_server_addr:$proxy_protocol_server_port\\n"

    private static func configuration(_ folder: String, _ certificate: Certificate, _ sites: [Site]) -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        let servers = sites.map { site -> String in
            let answer = answer.replacingOccurrences(of: "%@", with: site.name)
            let (address, ports) = (site.address, site.ports)
            return """
                server {
                  listen \(address):\(ports.http); listen \(address):\(ports.https) ssl http2;
                  listen \(address):\(ports.proxyHTTP) proxy_protocol; listen \(address):\(ports.proxyHTTPS) ssl proxy_protocol;
                  default_type text/plain;
                  location / { return 200 "\(answer)"; }
                  location /files/ { root \(folder); dav_methods PUT; }
                }
                """
        }
        return """
            daemon off; master_process off; pid \(folder)/nginx.pid; error_log \(folder)/error.log notice;
            events { worker_connections 8192; }
            http {
              access_log off; \(temporary.joined(separator: " ")) client_max_body_size 0; keepalive_requests 100000;
              ssl_certificate \(certificate.certificate); ssl_certificate_key \(certificate.key);
              \(servers.joined(separator: "\n"))
            }
            """
    }
}

/// What nginx's `/` has answered, by name.
func told(_ body: String) -> [String: String] {
    let pairs = body.split(whereSeparator: \.isWhitespace).compactMap { word -> (String, String)? in
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }
    return Dictionary(pairs) { $1 }
}
