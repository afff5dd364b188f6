/// HAProxy, as an endpoint that wants PROXY headers or as a sender of them in front of a server.
final class HAProxy {
    let http: Place
    let https: Place
    let certificate: Certificate

    /// Both ports as an endpoint.
    var receiver: Endpoint { Endpoint(host: http.address, httpPort: http.port, httpsPort: https.port) }

    /// An endpoint that wants a PROXY header of either version and answers with what it says.
    convenience init() throws {
        let certificate = try Certificate()
        try self.init(certificate) { http, https in
            """
            frontend receiver
              mode http
              bind \(http) accept-proxy
              bind \(https) accept-proxy ssl crt \(certificate.pair)
              http-request return status 200 content-type text/plain lf-string "src=%[src]:%[src_port] dst=%[dst]:%[dst_port]\\n"

            """
        }
    }

    /// In front of a server's two listeners, calling them from an address of its own.
    convenience init(inFrontOf server: Server, sending version: String, from source: String) throws {
        let keyword = version == "v1" ? "send-proxy" : "send-proxy-v2"
        try self.init(try Certificate()) { http, https in
            zip(["plain", "secure"], [(http, server.http), (https, server.https)]).map { name, places in
                """
                frontend \(name)
                  bind \(places.0)
                  default_backend \(name)
                backend \(name)
                  server s \(places.1) source \(source) \(keyword)

                """
            }.joined()
        }
    }

    private init(_ certificate: Certificate, sections: (Place, Place) -> String) throws {
        self.certificate = certificate
        let places = try Place.fresh(2)
        let (http, https) = (places[0], places[1])
        (self.http, self.https) = (http, https)
        let configuration = try Scene.present().path("haproxy.cfg")
        try write(
            """
            defaults
              mode tcp
              timeout connect 200s
              timeout client 200s
              timeout server 200s

            """ + sections(http, https), to: configuration)
        let program = try Program("haproxy", ["-db", "-f", configuration])
        try eventually("haproxy listens: \(program.log)") {
            guard program.isRunning else { throw Failure("haproxy has ended: \(program.log)") }
            return (try? TCPConnection(to: https)) != nil
        }
    }
}

/// nginx's stream module in front of a server: it sends PROXY headers of version 1.
final class StreamNginx {
    let http: Place

    init(inFrontOf server: Server, from source: String) throws {
        let scene = try Scene.present()
        let folder = try makeFolder(scene.path("stream"))
        let http = try Place.fresh()
        self.http = http
        let configuration = "\(folder)/nginx.conf"
        try write(
            """
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            daemon off; master_process off; pid \(folder)/nginx.pid; error_log \(folder)/error.log notice;
            events { worker_connections 512; }
            stream { server { listen \(http); proxy_pass \(server.http); proxy_bind \(source); proxy_protocol on; } }
            """, to: configuration)
        let program = try Program("nginx", ["-c", configuration, "-e", "\(folder)/error.log"], name: "nginx stream")
        try eventually("nginx listens: \(text(ofFile: "\(folder)/error.log"))") {
            guard program.isRunning else { throw Failure("nginx has ended: \(text(ofFile: "\(folder)/error.log"))") }
            return (try? TCPConnection(to: http)) != nil
        }
    }
}
