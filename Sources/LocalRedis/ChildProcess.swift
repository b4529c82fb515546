#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A child of this process. Not a value to copy: its owner reaps it.
package struct ChildProcess: Sendable {
    package let processID: Int32
    /// The exit code of a process that ended by itself; nil while it runs, and where a signal ended it.
    package private(set) var exitCode: Int32?
    private var hasEnded = false

    private init(processID: pid_t) {
        self.processID = processID
    }

    /// Starts a program with standard output and error in a file, nothing on its input, and no other descriptor of
    /// this process.
    package static func spawn(_ program: String, _ arguments: [String], output: String) throws -> ChildProcess {
        // `setpriv` becomes the program (same process id), which is then killed when its parent ends.
        var words = [program] + arguments
        #if os(Linux)
            if let setpriv = Executable.findIfInstalled("setpriv") {
                words = [setpriv, "--pdeathsig", "KILL", "--"] + words
            }
        #endif
        let processID = try Spawner.shared.run { [words] () throws(LocalRedisError) in
            try spawnHere(words, output: output)
        }
        Orphans.shared.add(processID)
        return ChildProcess(processID: processID)
    }

    private static func spawnHere(_ words: [String], output: String) throws(LocalRedisError) -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        #if canImport(Glibc)
            closeDescriptors(from: 3, &actions)
        #endif
        // Its own process group, so that Ctrl-C in a terminal reaches this process only, which then stops the server;
        // and no blocked signals, which threads of this process may have.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP))
        var strings: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        strings.append(nil)
        defer { strings.forEach { free($0) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, words[0], &actions, &attributes, strings, environ)
        guard result == 0 else { throw .system("\(words[0]) could not be started", result) }
        return processID
    }

    #if canImport(Glibc)
        /// A pipe that a server holds open keeps whoever reads it waiting. The call is in glibc from 2.34, but not in
        /// what Swift sees of its headers.
        private static func closeDescriptors(from first: Int32, _ actions: inout posix_spawn_file_actions_t) {
            typealias Call = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
            guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return }
            _ = unsafeBitCast(symbol, to: Call.self)(&actions, first)
        }
    #endif

    /// Reaps the process if it has ended.
    package var isRunning: Bool {
        mutating get {
            if hasEnded { return false }
            var status: Int32 = 0
            let reaped = waitpid(processID, &status, WNOHANG)
            if reaped != 0 { ended(reaped == processID ? status : nil) }
            return !hasEnded
        }
    }

    private mutating func ended(_ status: Int32?) {
        hasEnded = true
        // WIFEXITED and WEXITSTATUS, which are macros.
        if let status, status & 0x7f == 0 { exitCode = status >> 8 & 0xff }
        Orphans.shared.remove(processID)
    }

    package mutating func terminate() {
        guard isRunning else { return }
        Self.signal(processID, SIGTERM)
        // A stopped process takes the signal when it goes on.
        Self.signal(processID, SIGCONT)
    }

    package mutating func kill() {
        guard isRunning else { return }
        Self.signal(processID, SIGKILL)
        var status: Int32 = 0
        while waitpid(processID, &status, 0) == -1, errno == EINTR {}
        ended(status)
    }

    package mutating func freeze() {
        guard isRunning else { return }
        Self.signal(processID, SIGSTOP)
    }

    package mutating func thaw() {
        guard isRunning else { return }
        Self.signal(processID, SIGCONT)
    }

    static func signal(_ processID: pid_t, _ number: Int32) {
        #if canImport(Glibc)
            Glibc.kill(processID, number)
        #elseif canImport(Musl)
            Musl.kill(processID, number)
        #else
            Darwin.kill(processID, number)
        #endif
    }
}
