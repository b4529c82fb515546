import RedisTransport

// What a saga log needs of the server's settings.
extension ServerReading {
    /// All findings, in a fixed order.
    ///
    /// What the server tells of itself stands in INFO, so without that there is little to say.
    package var findings: [Finding] {
        var findings: [Finding] = []
        if let info {
            findings += [version(info), mode(info)] + persistence(info) + eviction(info)
            findings += [memory(info)] + replication(info)
        }
        if let refusal {
            findings.append(
                Finding(
                    .danger, "writes", "the server refuses writes: \(refusal)",
                    remedy: "nothing moves before that is mended: make room, mend the disk, or connect to the master"))
        }
        return findings + timeouts + access + clockFindings + slowLog + scriptFindings + rights
    }

    private func version(_ info: ServerInfo) -> Finding {
        let version = info["redis_version"] ?? ""
        guard let major = version.split(separator: ".").first.flatMap({ Int($0) }) else {
            return Finding(.info, "version", "the server does not tell a version", remedy: "use Redis 7.0 or later")
        }
        guard major >= 7 else {
            return Finding(
                .danger, "version", "Redis \(version) is too old: its scripts and ACL lack what Skald uses",
                remedy: "use Redis 7.0 or later")
        }
        return Finding(.ok, "version", "Redis \(version)")
    }

    private func mode(_ info: ServerInfo) -> Finding {
        let mode = info["redis_mode"] ?? "standalone"
        if mode == "cluster" || mode == "sentinel" {
            return Finding(
                .danger, "mode", "the server runs as \(mode), which this version does not support yet",
                remedy: mode == "sentinel"
                    ? "connect to the master that it watches" : "use a server that is not part of a cluster")
        }
        if info["role"] == "slave" {
            return Finding(
                .danger, "mode", "the server is a replica and takes no writes",
                remedy: "connect to its master, \(info["master_host"] ?? "?"):\(info["master_port"] ?? "?")")
        }
        return Finding(.ok, "mode", "a single server that takes writes")
    }

    // MARK: Persistence

    private func persistence(_ info: ServerInfo) -> [Finding] {
        var findings = [durability(info)]
        let save = settings?["save"]
        if info["aof_enabled"] == "1", info["aof_last_write_status"] ?? "ok" != "ok" {
            findings.append(
                Finding(
                    .danger, "aof-write", "the last write to the append-only file failed",
                    remedy: "look at the disk's room and health, and at the server's log"))
        }
        if info["aof_last_bgrewrite_status"] ?? "ok" != "ok" {
            findings.append(
                Finding(
                    .warning, "aof-rewrite", "the last rewrite of the append-only file failed, so it only grows",
                    remedy: "look at the disk's room and the machine's memory, and at the server's log"))
        }
        if info["rdb_last_bgsave_status"] ?? "ok" != "ok" {
            // With save points, Redis stops taking writes after one (stop-writes-on-bgsave-error).
            let stops = save != "" && settings?["stop-writes-on-bgsave-error"] != "no"
            findings.append(
                Finding(
                    stops ? .danger : .warning, "snapshot", "the last snapshot failed",
                    remedy: "look at the disk's room and the machine's memory, and at the server's log"))
        }
        if info["aof_enabled"] == "1", settings?["no-appendfsync-on-rewrite"] == "yes" {
            findings.append(
                Finding(
                    .warning, "fsync-on-rewrite", "nothing is synced to disk while the append-only file is rewritten",
                    remedy: "set no-appendfsync-on-rewrite no"))
        }
        return findings
    }

    private func durability(_ info: ServerInfo) -> Finding {
        let remedy = "set appendonly yes and appendfsync always (or everysec)"
        guard info["aof_enabled"] == "1" else {
            return switch settings?["save"] {
            case nil:
                Finding(
                    .warning, "persistence", "the append-only file is off: a crash loses what no snapshot holds",
                    remedy: remedy)
            case "":
                Finding(
                    .danger, "persistence", "there is no persistence: a restart loses every saga", remedy: remedy)
            case let save?:
                Finding(
                    .warning, "persistence",
                    "there are only snapshots (save \(save)): a crash rewinds all sagas to the last one",
                    remedy: remedy)
            }
        }
        return switch settings?["appendfsync"] {
        case "always": Finding(.ok, "persistence", "append-only file, synced before each answer")
        case "everysec":
            Finding(
                .info, "persistence",
                "append-only file, synced each second: a power cut rewinds sagas by up to two seconds, and loses those "
                    + "that were started in them",
                remedy: "set appendfsync always where a started saga must not be lost")
        case nil: Finding(.ok, "persistence", "append-only file; how often it is synced is not known")
        case let other?:
            Finding(
                .warning, "persistence",
                "append-only file, synced when the system likes to (appendfsync \(other)): a power cut rewinds sagas "
                    + "by half a minute",
                remedy: "set appendfsync always (or everysec)")
        }
    }

    // MARK: Memory

    private func eviction(_ info: ServerInfo) -> [Finding] {
        let policy = info["maxmemory_policy"] ?? settings?["maxmemory-policy"] ?? "noeviction"
        var findings: [Finding] = []
        if policy == "noeviction" {
            findings.append(Finding(.ok, "eviction", "nothing is evicted"))
        } else {
            findings.append(
                Finding(
                    .danger, "eviction",
                    "the server may evict keys (maxmemory-policy \(policy)), and sagas with them, without an error",
                    remedy: "set maxmemory-policy noeviction"))
        }
        if let evicted = info.count("evicted_keys"), evicted > 0 {
            findings.append(
                Finding(
                    .warning, "evicted", "\(evicted) keys have been evicted since the server was started",
                    remedy: "sagas may be among them: compare what starters began with 'skald list'"))
        }
        return findings
    }

    private func memory(_ info: ServerInfo) -> Finding {
        let (used, limit) = (info.count("used_memory") ?? 0, info.count("maxmemory") ?? 0)
        guard limit > 0 else {
            return Finding(
                .warning, "memory",
                "\(Self.mebibytes(used)) are used and there is no limit: when memory runs out, the system kills the "
                    + "whole server",
                remedy: "set maxmemory to 60 to 70 per cent of the machine's memory")
        }
        let text = "\(Self.mebibytes(used)) of \(Self.mebibytes(limit)) are used"
        let remedy = "raise maxmemory, or shorten the retention of ended sagas"
        if used >= limit {
            return Finding(.danger, "memory", "\(text): the server is full and nothing can be written", remedy: remedy)
        }
        return used >= limit / 5 * 4
            ? Finding(.warning, "memory", "\(text): soon it is full", remedy: remedy) : Finding(.ok, "memory", text)
    }

    private static func mebibytes(_ bytes: Int) -> String { "\(bytes / 1_048_576) MiB" }

    // MARK: Replicas

    /// Servers have a handful; what claims more is not looked at one by one.
    private static let mostReplicas = 256

    private func replication(_ info: ServerInfo) -> [Finding] {
        let count = info.count("connected_slaves") ?? 0
        let wanted = settings?["min-replicas-to-write"].flatMap(Int.init)
        if let wanted, wanted > 0, let good = info.count("min_slaves_good_slaves"), good < wanted {
            return [
                Finding(
                    .danger, "replicas",
                    "\(good) replicas are in touch, and with fewer than \(wanted) the server "
                        + "refuses writes",
                    remedy: "bring the replicas back, or lower min-replicas-to-write")
            ]
        }
        guard count > 0 else {
            return [
                Finding(
                    .info, "replicas", "there are no replicas: what is lost with this machine's disk is lost",
                    remedy: "add a replica, or keep copies of the append-only file elsewhere")
            ]
        }
        let late = (0..<min(count, Self.mostReplicas)).filter {
            info["slave\($0)"].map { !$0.contains("state=online") } ?? false
        }.count
        var findings = [Finding(.ok, "replicas", count == 1 ? "1 replica" : "\(count) replicas")]
        if late > 0 {
            findings = [
                Finding(
                    .warning, "replicas", "\(late) of \(count) replicas are not in step",
                    remedy: "wait for their synchronisation, or look at their logs")
            ]
        }
        if wanted == 0 {
            findings.append(
                Finding(
                    .warning, "min-replicas",
                    "a master that is cut off from its replicas goes on alone with writes that "
                        + "a failover will discard",
                    remedy: "set min-replicas-to-write 1 and min-replicas-max-lag 2"))
        }
        return findings
    }
}

extension ServerInfo {
    /// A property that counts something; nil where the text is no whole number from 0.
    fileprivate func count(_ name: String) -> Int? { self[name].flatMap(Int.init).flatMap { $0 < 0 ? nil : $0 } }
}
