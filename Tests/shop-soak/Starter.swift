import Foundation
import SagaClient
import SagaCore
import SagaWire
import Shop
import ShopStage

/// Places orders, and repeats each start until its saga is known: a start that Redis lost is not known to anybody else.
struct Starter {
    private struct Open {
        var order: OrderRequest
        var placedAt: ContinuousClock.Instant
    }

    /// After which an order that nobody knows is placed again.
    private static let repeatAfter = Duration.seconds(2)

    private let client: SagaClient
    private let orders: [OrderRequest]
    private let inFlight: Int
    private var next = 0
    private var open: [String: Open] = [:]
    /// What was told of each order's end, first.
    private(set) var ends: [String: Audit.End] = [:]
    private(set) var repeats = 0

    init(_ client: SagaClient, _ orders: [OrderRequest], inFlight: Int) {
        self.client = client
        self.orders = orders
        self.inFlight = inFlight
    }

    var openCount: Int { open.count }

    /// The orders that were placed.
    var placed: [String] { orders[..<next].map(\.order) }

    var status: String {
        let completed = ends.values.count { $0 == .completed }
        return "\(ends.count.grouped) of \(next.grouped) ended: \(completed.grouped) confirmed, "
            + "\((ends.count - completed).grouped) undone"
    }

    /// Places orders, as far as there is room for them, and looks how the open ones are.
    ///
    /// - Parameter goal: how many orders shall have been placed by now.
    mutating func work(placing goal: Int = 0) async throws {
        let count = min(goal - next, inFlight - open.count, orders.count - next)
        if count > 0 {
            let batch = orders[next..<next + count]
            next += count
            await place(batch)
        }
        for id in open.keys.sorted() {
            // A server that is away says nothing of anybody.
            guard let stored = try? await client.lookUp(id) else { break }
            switch stored {
            case .saga(let view):
                guard let end = view.end.flatMap({ Audit.End(rawValue: $0.rawValue) }) else { continue }
                ends[id] = end
                open[id] = nil
            case .removed: open[id] = nil
            case .absent:
                guard let waiting = open[id], ContinuousClock.now - waiting.placedAt > Self.repeatAfter else {
                    continue
                }
                repeats += 1
                await place([waiting.order])
            }
        }
        try await Task.sleep(for: .milliseconds(50))
    }

    private mutating func place(_ batch: some Collection<OrderRequest>) async {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        for order in batch { open[order.order] = Open(order: order, placedAt: .now) }
        let messages = batch.compactMap { order in
            (try? encoder.encode(order)).map {
                StartMessage(saga: order.order, definition: "order", input: [UInt8]($0))
            }
        }
        // Whatever becomes of it, it is looked for, and repeated where it is not found.
        try? await client.start(messages)
    }

    /// Orders of whose end something else is told now than at first.
    func changedEnds() async -> [String] {
        var findings: [String] = []
        for (order, end) in ends.sorted(by: { $0.key < $1.key }) {
            guard let now = try? await client.saga(order)?.end.flatMap({ Audit.End(rawValue: $0.rawValue) }) else {
                findings.append("\(order): told to be \(end.rawValue), and has no end now")
                continue
            }
            if now != end { findings.append("\(order): told to be \(end.rawValue), and is \(now.rawValue) now") }
        }
        return findings
    }

    /// How many dead letters there are, by the code of their reason.
    func deadLetters() async -> [String: Int] {
        // Only told to people: a server that does not answer costs the figure.
        let letters = (try? await client.deadLetters(limit: 10_000)) ?? []
        return letters.reduce(into: [:]) { counts, letter in
            counts[letter.reason.split(separator: ":").first.map(String.init) ?? letter.reason, default: 0] += 1
        }
    }

    func close() async { await client.close() }
}
