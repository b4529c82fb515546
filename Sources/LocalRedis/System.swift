import Dispatch
import Foundation
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum ErrorText {
    static func of(_ number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }
}

enum Executable {
    static func find(_ name: String) throws(LocalRedisError) -> String {
        if let path = findIfInstalled(name) { return path }
        throw LocalRedisError(
            message: "\(name) was not found: install Redis (Debian: apt install redis-server) or name its path")
    }

    static func findIfInstalled(_ name: String) -> String? {
        if name.contains("/") { return isExecutable(name) ? name : nil }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first(where: isExecutable)
    }

    private static func isExecutable(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
            && access(path, X_OK) == 0
    }
}

enum FreePort {
    /// Below the range from which systems take ports for outgoing connections: there, a client that tries again and
    /// again while the server is down could be given the server's port, and even be connected to itself.
    private static let range = 20_000..<32_000

    static func find() throws(LocalRedisError) -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: range)
            if isFree(port) { return port }
        }
        throw LocalRedisError(message: "no free port on 127.0.0.1 from \(range.lowerBound) to \(range.upperBound)")
    }

    private static func isFree(_ port: Int) -> Bool {
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #elseif canImport(Musl)
            let kind = SOCK_STREAM
        #else
            let kind = Int32(SOCK_STREAM.rawValue)
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

enum Pause {
    /// A few milliseconds, also when the task is cancelled: a server must be waited for all the same.
    static func short() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(5)) { continuation.resume() }
        }
    }
}
