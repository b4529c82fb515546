import RedisTransport
public import SagaCore
import SagaRedis
import SagaWire

/// A walk over the sagas of one partition that are not ended, page by page.
///
/// A scan, because ranks move while sagas end: it returns every one that stays. It may return one twice, so a hash of
/// each id is kept, 8 bytes a saga.
struct OpenWalk: Sendable {
    /// Sagas that are looked at together.
    static let page = 128

    let partition: Int
    /// nil at the end of the set.
    private var cursor: String? = "0"
    private var ids: [String] = []
    private var seen: Set<Int> = []

    init(partition: Int) {
        self.partition = partition
    }

    var isDone: Bool { cursor == nil && ids.isEmpty }

    /// The next sagas, a page at most; none at the end.
    ///
    /// Redis: O(page).
    mutating func next(_ keys: KeySpace, _ client: RedisRouter) async throws(ClientError) -> [String] {
        while ids.isEmpty, let cursor {
            let scan = RedisCommand("ZSCAN", keys.open(partition), cursor, "COUNT", "\(Self.page)")
            let reply = try await asking { () async throws(RedisError) in try await client.send(scan) }.value
            let next = reply[0].string ?? "0"
            self.cursor = next == "0" ? nil : next
            let members = reply[1]
            for index in stride(from: 0, to: members.count, by: 2) {
                guard let id = members[index].string, seen.insert(id.hashValue).inserted else { continue }
                ids.append(id)
            }
        }
        // A small set comes whole, whatever the count says.
        let page = Array(ids.prefix(Self.page))
        ids.removeFirst(page.count)
        return page
    }

    /// Returns sagas that were not looked at.
    mutating func putBack(_ rest: some Collection<String>) {
        ids.insert(contentsOf: rest, at: 0)
    }
}

extension SagaClient {
    /// Partitions that are walked at the same time.
    private static let walkers = 4

    /// What one step of a walk came to.
    private struct WalkStep<Found: Sendable>: Sendable {
        var walk: OpenWalk
        var found: [Found] = []
        /// Sagas that the step was allowed to take and did not.
        var spare: Int
        var failure: ClientError?
    }

    /// Walks the open sagas of all partitions, a few partitions at a time, and tells what `page` finds one by one.
    ///
    /// No more is looked at before what was found is told, so a few pages are in memory at most. After a failure nothing
    /// new is begun; what was found until then is told first.
    ///
    /// - Parameters:
    ///   - limit: Sagas to take.
    ///   - page: Looks at the next sagas of a walk, and takes up to `room` of them. Returns how many it took.
    func walkOpen<Found: Sendable>(
        _ keys: KeySpace, limit: Int = .max,
        page:
            @escaping @Sendable (_ walk: inout OpenWalk, _ found: inout [Found], _ room: Int)
            async throws(ClientError) -> Int,
        each: (Found) async -> Void
    ) async throws(ClientError) {
        let failure = await withTaskGroup(of: WalkStep<Found>.self) { group -> ClientError? in
            var walks = (0..<keys.partitions).reversed().map { OpenWalk(partition: $0) }
            var (room, active) = (limit, 0)
            var failure: ClientError?
            while true {
                while failure == nil, active < Self.walkers, room > 0, let walk = walks.popLast() {
                    let allotment = min(room, OpenWalk.page)
                    room -= allotment
                    active += 1
                    group.addTask {
                        var step = WalkStep<Found>(walk: walk, spare: allotment)
                        do throws(ClientError) {
                            step.spare -= try await page(&step.walk, &step.found, allotment)
                        } catch {
                            step.failure = error
                        }
                        return step
                    }
                }
                guard let step = await group.next() else { return failure }
                active -= 1
                room += step.spare
                for found in step.found { await each(found) }
                failure = failure ?? step.failure
                if !step.walk.isDone { walks.append(step.walk) }
            }
        }
        if let failure { throw failure }
    }

    /// The whole logs of some sagas.
    ///
    /// Redis: O(entries of the logs).
    func logs(of ids: [String], in partition: Int, _ keys: KeySpace) async throws(ClientError) -> [RedisReply] {
        let commands = ids.map { RedisCommand("LRANGE", keys.log(partition, saga: $0), "0", "-1") }
        var logs: [RedisReply] = []
        for result in await client.pipeline(commands) {
            logs.append(try await asking { () throws(RedisError) in try result.get() })
        }
        return logs
    }

    /// Folds an open saga's log; nil where it has ended since, and its log was removed.
    func replayOpen(
        _ id: String, _ log: RedisReply, observe: (LogEntry, [Directive], Saga) -> Void = { _, _, _ in }
    ) async throws(ClientError) -> Saga? {
        guard case .saga(let saga) = try await replay(id, log, observe: observe) else { return nil }
        return saga
    }

    /// How a saga began, from its log's first entry.
    func start(in first: [UInt8], of id: String) throws(ClientError) -> Started {
        do throws(LogFault) {
            if case .started(let started) = try LogCodec.decode(first).fact { return started }
        } catch {
            throw .unreadable("the log of saga '\(id)' cannot be read: \(error)")
        }
        throw .unreadable("the log of saga '\(id)' does not begin with its start")
    }

    /// The Redis server's clock, which all instants of sagas are told by.
    ///
    /// Redis: O(1).
    public func serverTime() async throws(ClientError) -> Milliseconds {
        let time = try await asking { () async throws(RedisError) in try await client.send(RedisCommand("TIME")) }.value
        func clock(_ index: Int) -> Int64 { time[index].string.flatMap(Int64.init) ?? 0 }
        return clock(0) * 1_000 + clock(1) / 1_000
    }
}
