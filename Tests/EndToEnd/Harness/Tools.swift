import Foundation

/// What a program that runs to its end has said.
struct Said {
    let code: Int32
    let output: String
    let errors: String
}

/// Runs a program to its end.
func run(
    _ executable: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
    within limit: Duration = patience
) throws -> Said {
    let scene = try Scene.present()
    var inputFile = "/dev/null"
    if let input {
        inputFile = scene.path("input")
        try write(input, to: inputFile)
    }
    let (output, errors) = (scene.path("\(executable).out"), scene.path("\(executable).err"))
    let program = try Program(
        executable, arguments, input: inputFile, output: output, errors: errors, environment: environment,
        isDaemon: false)
    guard case .exited(let code) = try program.waitForEnd(within: limit) else {
        throw Failure("\(executable) was killed by a signal: \(text(ofFile: errors))")
    }
    return Said(code: code, output: text(ofFile: output), errors: text(ofFile: errors))
}

/// Runs a program that has to succeed, and gives what it wrote.
@discardableResult
func succeed(_ executable: String, _ arguments: [String], input: String? = nil) throws -> String {
    let said = try run(executable, arguments, input: input)
    guard said.code == 0 else {
        throw Failure(
            "\(executable) \(arguments.joined(separator: " ")) ended with \(said.code): \(said.errors)\(said.output)")
    }
    return said.output
}

func write(_ text: String, to path: String) throws {
    guard
        FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else {
        throw Failure("cannot write \(path)")
    }
}

func makeFolder(_ path: String) throws -> String {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

/// A certificate for all of acme.test, signed by its own key.
struct Certificate {
    let certificate: String
    let key: String
    /// Both in one file, as HAProxy wants it.
    let pair: String

    init() throws {
        let scene = try Scene.present()
        (certificate, key, pair) = (scene.path("tls.crt"), scene.path("tls.key"), scene.path("tls.pem"))
        try succeed(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=app.acme.test", "-addext", "subjectAltName=DNS:acme.test,DNS:*.acme.test", "-keyout", key, "-out",
                certificate,
            ])
        try write(text(ofFile: certificate) + text(ofFile: key), to: pair)
    }
}
