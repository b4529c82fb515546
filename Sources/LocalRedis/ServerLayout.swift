import Foundation

/// Where a server's files are.
struct ServerLayout: Sendable {
    /// Paths of Unix sockets are short: 107 bytes, with the name.
    private static let longestSocketPath = 107

    let directory: String
    /// Where the socket is: beside the data, or in a temporary directory if that has too long a path.
    let socketDirectory: String
    private let temporary: [String]

    static func make(directory chosen: String?) throws -> ServerLayout {
        var temporary: [String] = []
        func temporaryDirectory() throws -> String {
            let path = try makeTemporaryDirectory()
            temporary.append(path)
            return path
        }
        let directory: String
        if let chosen {
            directory = URL(fileURLWithPath: chosen).standardizedFileURL.path
        } else {
            directory = try temporaryDirectory()
        }
        guard directory.utf8.allSatisfy({ $0 >= 32 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
            throw LocalRedisError(message: "the directory's path has characters that a Redis configuration cannot hold")
        }
        let fits = directory.utf8.count + "/redis.sock".utf8.count <= longestSocketPath
        let layout = ServerLayout(
            directory: directory,
            socketDirectory: fits ? directory : try temporaryDirectory(),
            temporary: temporary)
        try layout.createDirectories()
        return layout
    }

    var socket: String { socketDirectory + "/redis.sock" }
    var configurationFile: String { directory + "/redis.conf" }
    var logFile: String { directory + "/redis.log" }
    /// What the process prints before it has read its configuration.
    var outputFile: String { directory + "/redis.out" }

    func createDirectories() throws {
        for path in Set([directory, socketDirectory]) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    func removeTemporaryDirectories() {
        for path in temporary {
            // What cannot be removed stays behind in the system's temporary directory, and harms nobody.
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    func writeConfiguration(_ options: LocalRedisServer.Options, port: Int) throws {
        var lines = [
            "bind 127.0.0.1",
            "port \(options.tls == nil ? port : 0)",
            "unixsocket \"\(socket)\"",
            "unixsocketperm 700",
            "dir \"\(directory)\"",
            "logfile \"\(logFile)\"",
            "daemonize no",
            "save \"\"",
            "appendonly \(options.appendOnly == .no ? "no" : "yes")",
        ]
        switch options.appendOnly {
        case .no: break
        case .everysec: lines.append("appendfsync everysec")
        case .always: lines.append("appendfsync always")
        }
        if let tls = options.tls {
            lines += [
                "tls-port \(port)",
                "tls-cert-file \"\(tls.certificate)\"",
                "tls-key-file \"\(tls.key)\"",
                "tls-ca-cert-file \"\(tls.authority)\"",
                "tls-auth-clients \(tls.demandsCertificate ? "yes" : "no")",
            ]
        }
        let text = (lines + options.extra).joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: configurationFile))
        // What an earlier process wrote would be taken for this one's reason to end.
        try Data().write(to: URL(fileURLWithPath: outputFile))
        if let size = try? FileManager.default.attributesOfItem(atPath: logFile)[.size] as? Int, size > 0 {
            try Data().write(to: URL(fileURLWithPath: logFile))
        }
    }

    /// The last words of a process that ended, in one line.
    func logTail() -> String {
        for path in [logFile, outputFile] {
            // A file that is not there has nothing to say.
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), !data.isEmpty else { continue }
            let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").suffix(4)
            return lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " | ")
        }
        return ""
    }

    private static func makeTemporaryDirectory() throws -> String {
        let name = "skald-redis-" + UUID().uuidString.prefix(8).lowercased()
        let path = FileManager.default.temporaryDirectory.path + "/" + name
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return path
    }
}
