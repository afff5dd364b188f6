#!/usr/bin/env python3
"""A customer's site in miniature, for `make run`: answers every request, in HTTP and HTTPS, with what it saw.

A PROXY protocol header (v1 or v2) is noticed and shown, whether the service sends one or not, so that one can be switched on
and off while this runs. A real endpoint must not be so liberal: it has to know whether to expect one.
"""

import argparse
import http.server
import ipaddress
import signal
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time

# How long a connection may be silent. Browsers and curl keep connections for a while, and a thread is cheap here.
PATIENCE = 60

V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


class BadProxyHeader(Exception):
    pass


def take_proxy_header(connection):
    """Reads the PROXY header that a connection begins with and gives it in words; None when there is none."""
    deadline = time.monotonic() + 5
    while True:
        # Looked at before it is taken: what is no PROXY header belongs to TLS or HTTP.
        head = connection.recv(536, socket.MSG_PEEK)
        if head.startswith(b"PROXY ") and b"\r\n" in head:
            line = head[: head.index(b"\r\n") + 2]
            connection.recv(len(line))
            return "v1 " + line[6:-2].decode("ascii", "replace")
        if head.startswith(V2_SIGNATURE) and len(head) >= 16:
            length = 16 + struct.unpack("!H", head[14:16])[0]
            if len(head) >= length:
                return "v2 " + describe_v2(connection.recv(length))
        partial = any(len(head) < len(s) and s.startswith(head) for s in (b"PROXY ", V2_SIGNATURE))
        unfinished = head.startswith((b"PROXY ", V2_SIGNATURE)) and len(head) < 536
        if not head or not (partial or unfinished):
            return None
        if time.monotonic() > deadline:
            raise BadProxyHeader("it does not end")
        time.sleep(0.005)


def describe_v2(header):
    """`TCP4 SOURCE DESTINATION PORT PORT`, as version 1 would have written it."""
    command, family = header[12] & 0x0F, header[13]
    if command == 0:
        return "LOCAL"
    size = {0x11: 4, 0x21: 16}.get(family)
    if size is None or len(header) < 16 + 2 * size + 4:
        return "of an unknown family"
    source = ipaddress.ip_address(header[16 : 16 + size])
    destination = ipaddress.ip_address(header[16 + size : 16 + 2 * size])
    ports = struct.unpack("!HH", header[16 + 2 * size : 16 + 2 * size + 4])
    return f"TCP{'4' if size == 4 else '6'} {source} {destination} {ports[0]} {ports[1]}"


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sample-endpoint"
    timeout = PATIENCE

    def answer(self):
        # A body is read so that the next request of the connection is found; where that would take long, there is no next.
        length = self.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) <= 1 << 20 and "Transfer-Encoding" not in self.headers:
            self.rfile.read(int(length))
        else:
            self.close_connection = True
        rows = [
            ("request", self.requestline),
            ("Host", self.headers.get("Host", "none")),
            ("SNI", getattr(self.connection, "asked_name", None) or "none"),
            ("X-Forwarded-For", ", ".join(self.headers.get_all("X-Forwarded-For", [])) or "none"),
            ("PROXY header", self.server.proxy_headers.get(self.client_address, "none")),
            ("connected from", "%s port %s" % self.client_address[:2]),
            ("connected to", "%s port %s" % self.connection.getsockname()[:2]),
        ]
        text = f"This is the {self.server.name}.\n" + "".join(f"  {label:<15}  {value}\n" for label, value in rows)
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, format, *arguments):
        print(f"{self.server.name}: {self.client_address[0]} {format % arguments}", flush=True)


class Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, name, address, context=None):
        self.name, self.context, self.proxy_headers = name, context, {}
        super().__init__(address, Site)

    def server_bind(self):
        # HTTPServer would look its own address up in DNS here, and wait where there is none.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def finish_request(self, connection, client):
        """Runs in the connection's own thread, so that a silent client holds up nobody."""
        connection.settimeout(PATIENCE)
        try:
            header = take_proxy_header(connection)
            if header:
                self.proxy_headers[client] = header
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            super().finish_request(connection, client)
        except (OSError, BadProxyHeader) as problem:
            print(f"{self.name}: {client[0]}: {problem}", flush=True)
        finally:
            self.proxy_headers.pop(client, None)
            if isinstance(connection, ssl.SSLSocket):
                # Wrapping took the descriptor over; the caller only has the empty shell.
                self.shutdown_request(connection)


def remember_name(connection, name, _):
    connection.asked_name = name


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--name", required=True)
    arguments.add_argument("--address", required=True)
    arguments.add_argument("--http-port", type=int, default=8080)
    arguments.add_argument("--https-port", type=int, default=8443)
    arguments.add_argument("--certificate", required=True)
    arguments.add_argument("--key", required=True)
    settings = arguments.parse_args()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    context.sni_callback = remember_name
    listeners = [
        Listener(settings.name, (settings.address, settings.http_port)),
        Listener(settings.name, (settings.address, settings.https_port), context),
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for listener in listeners:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
    print(f"{settings.name}: listening on {settings.address}, ports {settings.http_port} and {settings.https_port}", flush=True)
    while True:
        signal.pause()


main()
