import Crypto

/// A Lua script, named by its content: two versions of one script can be in use side by side.
public struct RedisScript: Sendable, Hashable {
    /// For logs and metrics.
    public let name: String
    public let source: [UInt8]
    /// The digest that EVALSHA takes, in lower-case hexadecimal.
    public let sha1: String

    public init(name: String, source: [UInt8]) {
        self.name = name
        self.source = source
        var hash = Insecure.SHA1()
        source.withUnsafeBytes { hash.update(bufferPointer: $0) }
        let digits = [UInt8]("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in hash.finalize() {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        sha1 = String(decoding: text, as: UTF8.self)
    }

    /// `EVALSHA sha1 numkeys key…`, to which the arguments can be appended.
    public func command(keys: [String]) -> RedisCommand {
        var command = RedisCommand("EVALSHA")
        command.append(sha1)
        command.append(keys.count)
        for key in keys {
            command.append(key)
        }
        return command
    }

    /// `SCRIPT LOAD source`.
    public var loadCommand: RedisCommand {
        var command = RedisCommand("SCRIPT", "LOAD")
        command.append(source)
        return command
    }
}
