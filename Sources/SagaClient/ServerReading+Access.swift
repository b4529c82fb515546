import SagaCore

// What is not the saga log's, but everyday operation's: connections, rights, clocks, slow calls.
extension ServerReading {
    private static let largestOffset: Milliseconds = 5_000
    private static let slowMicroseconds: Int64 = 10_000
    /// Slow calls that are older say little about today.
    private static let slowSpan: Milliseconds = 3_600_000

    var timeouts: [Finding] {
        guard let settings else { return [] }
        var findings: [Finding] = []
        if let timeout = settings["timeout"], timeout != "0" {
            findings.append(
                Finding(
                    .warning, "timeout", "idle connections are closed after \(timeout) s, and opened again each time",
                    remedy: "set timeout 0"))
        }
        if settings["tcp-keepalive"] == "0" {
            findings.append(
                Finding(
                    .warning, "keepalive", "connections of machines that vanished are never noticed",
                    remedy: "set tcp-keepalive 60"))
        }
        return findings.isEmpty ? [Finding(.ok, "timeouts", "idle connections stay, dead ones are noticed")] : findings
    }

    var access: [Finding] {
        guard let servesStrangers else { return [] }
        guard servesStrangers else {
            return [Finding(.ok, "access", "nobody is served without a name and a password")]
        }
        let remedy = "switch the user 'default' off and give each part its own: 'skald acl', deploy/users.acl"
        let open = "whoever reaches the server is served without a name and a password"
        guard let settings, let bind = settings["bind"] else {
            return [Finding(.warning, "access", open + "; where it listens is not known", remedy: remedy)]
        }
        let isLocal = settings["port"] == "0" || Self.isLoopback(bind)
        if isLocal { return [Finding(.info, "access", open + "; it listens to this machine only", remedy: remedy)] }
        if settings["protected-mode"] == "yes" {
            return [
                Finding(
                    .info, "access", open + "; protected-mode turns other machines away, Skald's too", remedy: remedy)
            ]
        }
        return [Finding(.warning, "access", open + ", from every machine (bind \(bind))", remedy: remedy)]
    }

    /// Whether all addresses are this machine's own. A leading `-` only says that an address may be missing.
    private static func isLoopback(_ bind: String) -> Bool {
        bind.split(separator: " ").allSatisfy { word in
            let address = word.hasPrefix("-") ? word.dropFirst() : word
            return address.hasPrefix("127.") || address == "::1" || address == "localhost"
        }
    }

    var clockFindings: [Finding] {
        guard let clock else { return [] }
        if clock.wentBack {
            return [
                Finding(
                    .warning, "clock", "the server's clock went back while it was looked at",
                    remedy: "let a time daemon slew the clock of the server's machine, and not step it")
            ]
        }
        let distance = Milliseconds(clamping: clock.offset.magnitude)
        guard distance > Self.largestOffset + clock.uncertainty else {
            return [Finding(.ok, "clock", "within \(distance + clock.uncertainty) ms of this machine's")]
        }
        return [
            Finding(
                .warning, "clock",
                "the server's clock is \(DurationText.format(distance)) \(clock.offset > 0 ? "ahead of" : "behind") this "
                    + "machine's; deadlines follow the server's",
                remedy: "synchronise the clocks of both machines")
        ]
    }

    var slowLog: [Finding] {
        guard let slowCalls else { return [] }
        let now = clock?.now ?? slowCalls.map(\.at).max() ?? 0
        let own = slowCalls.filter { call in
            ["EVALSHA", "XREAD", "XREADGROUP"].contains(call.command.uppercased())
                && call.microseconds >= Self.slowMicroseconds && call.at >= now &- Self.slowSpan
        }
        if let worst = own.max(by: { $0.microseconds < $1.microseconds }) {
            return [
                Finding(
                    .warning, "slow-log",
                    "\(own.count) slow calls of EVALSHA or XREAD in the last hour, the worst \(worst.command) of "
                        + "\(worst.microseconds / 1_000) ms",
                    remedy: "look at the machine's load and at SLOWLOG GET; large payloads and slow disks do this")
            ]
        }
        let bound = settings?["slowlog-log-slower-than"].flatMap(Int64.init)
        if let bound, bound < 0 || bound > Self.slowMicroseconds {
            let text =
                bound < 0 ? "the slow log is off" : "the slow log is empty, but only knows calls over \(bound) µs"
            return [Finding(.info, "slow-log", text, remedy: "set slowlog-log-slower-than \(Self.slowMicroseconds)")]
        }
        return [Finding(.ok, "slow-log", "no slow calls of EVALSHA or XREAD in the last hour")]
    }

    var scriptFindings: [Finding] {
        guard let scripts else { return [] }
        let text = "the server knows \(scripts.known) of this version's \(scripts.all) scripts"
        let rest = scripts.known < scripts.all ? "; the others are loaded when they are needed" : ""
        return [Finding(.info, "scripts", text + rest)]
    }

    /// One for each right that is missing.
    var rights: [Finding] {
        let name = user.map { "the user '\($0)'" } ?? "this user"
        var findings: [Finding] = []
        for missing in missingRights {
            findings.append(
                Finding(
                    .info, "rights", "\(name) lacks the right '\(missing.right)': \(missing.purpose)",
                    remedy: "connect as an operator, or grant it ('skald acl operator')"))
        }
        return findings.isEmpty ? [Finding(.ok, "rights", "\(name) may do all that an operator does")] : findings
    }
}
