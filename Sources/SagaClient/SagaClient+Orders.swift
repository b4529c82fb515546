import RedisTransport
public import SagaCore
import SagaRedis
import SagaWire

extension SagaClient {
    /// Gives an order to many sagas, and waits for the coordinator's answers.
    ///
    /// Looks at all open sagas, a few partitions at a time. The orders of up to 128 sagas of a partition go out in one
    /// transaction, and one connection a partition follows the answers. Each order names its saga, and the machine decides
    /// on each by itself, as the saga stands when its order is read; what was selected may have moved on by then.
    ///
    /// Nothing but a few such batches is in memory, however many sagas there are (and 8 bytes for each of a partition that
    /// is being walked); the next are read when `each` has been told of these. A saga that is started, or begins to
    /// match, while this runs may be left out.
    /// Redis: O(open sagas + entries of their logs).
    ///
    /// - Parameters:
    ///   - order: What is ordered, by whom and why. Not a `skip`, which is for one step of one saga.
    ///   - isDryRun: Sends nothing; says what the machine would answer to each saga as its log stands.
    ///   - timeout: How long the answers to one batch are waited for.
    ///   - each: Told of each order when it is answered, those of one partition in no particular order.
    /// - Throws: ``ClientError/unanswered(_:)`` where nobody answers a batch in time, after `each` was told of it: its
    ///   orders stand, no further ones are sent.
    public func order(
        _ order: Order, _ selection: SagaSelection, isDryRun: Bool = false, timeout: Duration = .seconds(30),
        each: (SelectedOrder) async -> Void
    ) async throws(ClientError) {
        guard order.operation != .skip else { throw .refused("a skip is ordered for one step of one saga") }
        guard selection.service == nil || order.operation == .retry else {
            throw .refused("only a retry can be ordered by service")
        }
        guard selection.status?.isFinal != true else { throw .refused("an ended saga takes no orders") }
        // What could not be read later is refused before anything is sent.
        try check(ControlMessage(order, of: "saga", id: nil).fields, for: .control)
        let keys = try await keys()
        try await walkOpen(keys, limit: selection.limit ?? .max) { walk, found, room throws(ClientError) in
            var batch: [(order: Order, selected: SelectedOrder)] = []
            let taken = try await self.select(order, selection, isDryRun, from: &walk, keys, room: room, &batch)
            guard !isDryRun, !batch.isEmpty else {
                found = batch.map(\.selected)
                return taken
            }
            try await self.send(batch, of: walk.partition, keys, timeout, &found)
            return taken
        } each: { selected in
            await each(selected)
        }
    }

    /// What the machine would answer to an order, as the saga's log stands; nil where there is no such saga.
    ///
    /// Redis: O(entries of its log).
    public func preview(_ order: Order, of saga: String) async throws(ClientError) -> SelectedOrder? {
        guard let view = try await self.saga(saga) else { return nil }
        return SelectedOrder(preview: order, of: view.saga, at: try await serverTime())
    }

    /// Goes on with a walk until `room` sagas are selected or it is at its end. Returns how many there are.
    private func select(
        _ order: Order, _ selection: SagaSelection, _ isDryRun: Bool, from walk: inout OpenWalk, _ keys: KeySpace,
        room: Int, _ batch: inout [(order: Order, selected: SelectedOrder)]
    ) async throws(ClientError) -> Int {
        let now = isDryRun ? try await serverTime() : 0
        var taken = 0
        while taken < room, !walk.isDone {
            let ids = try await walk.next(keys, client)
            let logs = try await logs(of: ids, in: walk.partition, keys)
            for (index, id) in ids.enumerated() {
                guard taken < room else {
                    walk.putBack(ids[index...])
                    break
                }
                let saga: Saga?
                do throws(ClientError) {
                    saga = try await replayOpen(id, logs[index])
                } catch {
                    guard case .unreadable(let reason) = error else { throw error }
                    taken += 1
                    batch.append((order, SelectedOrder(order, saga: id, definition: nil, answer: .unreadable(reason))))
                    continue
                }
                guard let saga else { continue }
                let orders = selection.orders(order, for: saga)
                taken += orders.isEmpty ? 0 : 1
                for order in orders {
                    let selected =
                        isDryRun
                        ? SelectedOrder(preview: order, of: saga, at: now)
                        : SelectedOrder(order, saga: id, definition: saga.definition, answer: .unanswered)
                    batch.append((order, selected))
                }
            }
        }
        return taken
    }

    /// Sends a batch in one transaction, and reads the answers to it.
    private func send(
        _ batch: [(order: Order, selected: SelectedOrder)], of partition: Int, _ keys: KeySpace, _ timeout: Duration,
        _ found: inout [SelectedOrder]
    ) async throws(ClientError) {
        let run = "orders-" + String(UInt64.random(in: .min ... .max), radix: 16)
        found = batch.map(\.selected)
        var indices: [String: Int] = [:]
        var messages: [Fields] = []
        for (index, entry) in batch.enumerated() where entry.selected.answer == .unanswered {
            let id = "\(run)-\(index)"
            indices[id] = index
            messages.append(ControlMessage(entry.order, of: entry.selected.saga, id: id).fields)
        }
        guard !messages.isEmpty else { return }
        let answers = try await answers(to: messages, indices, of: partition, keys, timeout)
        for (index, answer) in answers {
            found[index].answer = answer.error.map { .refused($0) } ?? .accepted
        }
        guard answers.count == messages.count else {
            throw .unanswered(
                "no orchestrator has answered \(messages.count - answers.count) orders within \(timeout): they stand, "
                    + "and are carried out when one runs; no further ones were sent")
        }
    }

    private func answers(
        to messages: [Fields], _ indices: [String: Int], of partition: Int, _ keys: KeySpace, _ timeout: Duration
    ) async throws(ClientError) -> [Int: OrderAnswer] {
        try await OutcomeWatch.with(keys, partition: partition, client: self) { watch throws(ClientError) in
            try await add(messages, to: keys.control(partition))
            var answers: [Int: OrderAnswer] = [:]
            let end = ContinuousClock.now + timeout
            while answers.count < messages.count, ContinuousClock.now < end {
                for case .answer(let answer) in try await watch.next(until: end) {
                    if let index = indices[answer.control] { answers[index] = answer }
                }
            }
            return answers
        }
    }
}

extension ControlMessage {
    init(_ order: Order, of saga: String, id: String?) {
        self.init(
            saga: saga, operation: order.operation, step: order.step, result: order.result, reason: order.reason,
            by: order.by, id: id)
    }
}
