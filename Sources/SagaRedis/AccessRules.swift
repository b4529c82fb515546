import SagaCore

/// The Redis ACL rules that let a role do its part in a namespace, and no more. The one place that says who may do what:
/// `deploy/users.acl` is held to it by a test.
///
/// The rules begin with nothing (`-@all`, no channels) and add commands one by one. A right that holds for some keys only
/// stands in a selector together with those keys, so it needs Redis 7.0. Commands within a script run with the rights of
/// its caller, so a user that may run scripts can do no more with them than without.
public struct AccessRules: Sendable, Hashable {
    public let role: AccessRole
    public let namespace: String
    /// Each one argument of ACL SETUSER; a selector in parentheses is one.
    public let rules: [String]

    /// What stands in place of a password's digest that isn't known. Redis refuses a rule with it, so nobody gets a user
    /// without a password by mistake.
    public static let placeholder = "@password@"

    /// - Precondition: `namespace` is allowed by `Names.isNamespace(_:)`, a service's name by `Names.isName(_:)`.
    public init(_ role: AccessRole, in namespace: String) {
        let keys = KeyPatterns(namespace)
        self.role = role
        self.namespace = namespace
        rules =
            ["resetchannels", "-@all"]
            + {
                switch role {
                case .service(let name):
                    precondition(Names.isName(name), "not a service's name: \(name)")
                    return Self.service(name, keys)
                case .orchestrator: return Self.orchestrator(keys)
                case .starter: return Self.starter(keys)
                case .operator: return Self.operator(keys)
                case .viewer: return Self.viewer(keys)
                }
            }()
    }

    /// The user as one line: behind `ACL SETUSER` a command, behind `user` a line of an ACL file.
    ///
    /// - Parameters:
    ///   - name: Without spaces and control characters.
    ///   - passwordDigest: The password's SHA-256 in lower-case hexadecimal.
    public func user(_ name: String, passwordDigest: String = AccessRules.placeholder) -> String {
        ([name, "reset", "on", "#" + passwordDigest] + rules).joined(separator: " ")
    }

    // MARK: The roles

    /// ROLE is for finding the master that sentinels name, CLUSTER and ASKING for finding a cluster's nodes.
    private static let topology = ["+role", "+cluster|slots", "+cluster|info", "+asking"]
    private static let connection = ["+ping", "+client|setname"] + topology + ["+time", "+multi", "+exec"]

    /// No KEYS, FLUSHALL, CONFIG, DEBUG, FUNCTION, EVAL. Nothing is ever deleted, or made to expire, but the log of a saga
    /// that ended, consumers of services, commands that others replace, and heartbeats.
    private static func orchestrator(_ keys: KeyPatterns) -> [String] {
        ["~" + keys.ownKeys, "~" + keys.partitionKeys]
            + words("+ping +client|setname") + topology + words("+time +info +wait +multi +exec +evalsha +script|load")
            // For a look at its own rights before it begins.
            + words("+acl|whoami +acl|dryrun")
            + words("+exists +get +set +hget +hmget +hgetall +hset +hexists +hlen +hvals")
            + words("+zadd +zrem +zcard +zscore +zrangebyscore +zscan +rpush +lrange +lindex +llen")
            + words("+xadd +xlen +xread +xrange +xtrim +xinfo|groups +xinfo|consumers +xpending")
            + [
                "(+del +pexpireat ~\(keys.logs))", "(+xgroup|delconsumer +xdel ~\(keys.allCommands))",
                "(+hdel ~\(keys.members))",
            ]
    }

    /// Not XGROUP DESTROY, SETID or DELCONSUMER: those lose commands.
    private static func service(_ name: String, _ keys: KeyPatterns) -> [String] {
        let commands = keys.commands(of: name)
        return connection + [
            "(+hmget %R~\(keys.meta))",
            "(+xreadgroup +xpending %R~\(commands))",
            // These need the right to write, and return what they claim.
            "(+xack +xautoclaim +xclaim ~\(commands))",
            "(+xgroup|create ~\(commands))",
            "(+xadd %W~\(keys.reply))",
            "(+xadd %W~\(keys.dead))",
        ]
    }

    private static func starter(_ keys: KeyPatterns) -> [String] {
        connection + [
            "(+hget +hmget %R~\(keys.meta))",
            "(+xadd %W~\(keys.intake))",
            "(+hget +hvals +hlen %R~\(keys.definitions))",
            "(+xread +xrange +xrevrange +xinfo|stream %R~\(keys.outcome))",
            "(+lrange +llen %R~\(keys.logs))",
        ]
    }

    private static func viewer(_ keys: KeyPatterns) -> [String] {
        words("+ping +client|setname") + topology + words("+time +info +multi +exec") + [
            "(+hget +hmget +hgetall %R~\(keys.meta))",
            "(+hget +hvals +hlen +hkeys +hgetall %R~\(keys.definitions))",
            "(+hgetall %R~\(keys.members))",
            reading(keys),
        ]
    }

    private static func `operator`(_ keys: KeyPatterns) -> [String] {
        words("+ping +client|setname") + topology + words("+time +info +wait +multi +exec") + [
            "(+hget +hmget +hgetall %R~\(keys.meta))",
            "(+hgetall %R~\(keys.members))",
            reading(keys),
            // A definition is registered by a script, so that a registered version cannot be overwritten.
            "+script|load",
            "(+evalsha +hget +hset +hvals +hlen +hkeys +hgetall ~\(keys.definitions))",
            "(+xadd %W~\(keys.intake))",
            "(+xadd %W~\(keys.control))",
            // What doctor looks at.
            "+config|get", "+slowlog|get", "+acl|whoami", "+script|exists",
        ]
    }

    /// Everything of the partitions.
    private static func reading(_ keys: KeyPatterns) -> String {
        let commands = [
            "+exists +type +hget +hmget +hgetall +lrange +lindex +llen",
            "+zrange +zrevrange +zrangebyscore +zcount +zcard +zscore +zscan",
            "+xread +xrange +xrevrange +xlen +xpending +xinfo|stream +xinfo|groups +xinfo|consumers +memory|usage",
        ]
        return "(\(commands.joined(separator: " ")) %R~\(keys.partitionKeys))"
    }

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}

/// Patterns of a namespace's keys, the same for all of its partitions.
private struct KeyPatterns {
    private let keys: KeySpace

    init(_ namespace: String) {
        keys = KeySpace(namespace: namespace, partitions: 1)
    }

    /// The pattern of which a key of partition 0 is one case. Names have no characters that mean something in a pattern.
    private func every(_ key: String) -> String {
        let (own, all) = ("{\(keys.namespace):0}:", "{\(keys.namespace):*}:")
        precondition(key.hasPrefix(own), "not a key of partition 0: \(key)")
        return all + key.dropFirst(own.count)
    }

    var ownKeys: String { "{\(keys.namespace)}:*" }
    var partitionKeys: String { "{\(keys.namespace):*}:*" }
    var meta: String { keys.meta }
    var members: String { keys.members }
    var definitions: String { keys.definitions }
    var intake: String { every(keys.intake(0)) }
    var reply: String { every(keys.reply(0)) }
    var control: String { every(keys.control(0)) }
    var dead: String { every(keys.dead(0)) }
    var outcome: String { every(keys.outcome(0)) }
    var allCommands: String { every(keys.command(0, service: "*")) }
    var logs: String { every(keys.log(0, saga: "*")) }
    func commands(of service: String) -> String { every(keys.command(0, service: service)) }
}
