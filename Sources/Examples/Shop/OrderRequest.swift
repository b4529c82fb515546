/// What a customer orders: the input of an `order` saga, the same for all three services.
///
/// In JSON: `{"order":"o-17","customer":"ada","day":"monday","lines":[{"sku":"tea","quantity":2}]}`.
public struct OrderRequest: Codable, Sendable, Hashable {
    /// One article of the order.
    public struct Line: Codable, Sendable, Hashable {
        public var sku: String
        public var quantity: Int

        public init(sku: String, quantity: Int) {
            self.sku = sku
            self.quantity = quantity
        }
    }

    /// The most lines of an order.
    public static let maxLines = 50
    /// The largest quantity of a line.
    public static let maxQuantity = 1_000

    /// The order's number, chosen by whoever places it.
    public var order: String
    public var customer: String
    /// The day on which it is to be delivered.
    public var day: String
    public var lines: [Line]

    public init(order: String, customer: String, day: String, lines: [Line]) {
        self.order = order
        self.customer = customer
        self.day = day
        self.lines = lines
    }

    /// Refuses what no service could work with, so that no handler has to look for it. A participant answers a payload
    /// that cannot be decoded as refused for good.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        order = try container.decode(String.self, forKey: .order)
        customer = try container.decode(String.self, forKey: .customer)
        day = try container.decode(String.self, forKey: .day)
        lines = try container.decode([Line].self, forKey: .lines)
        func refuse(_ reason: String) -> DecodingError {
            DecodingError.dataCorruptedError(forKey: .lines, in: container, debugDescription: reason)
        }
        guard (1...Self.maxLines).contains(lines.count) else {
            throw refuse("an order has 1 to \(Self.maxLines) lines, not \(lines.count)")
        }
        guard lines.allSatisfy({ (1...Self.maxQuantity).contains($0.quantity) }) else {
            throw refuse("a quantity is from 1 to \(Self.maxQuantity)")
        }
        guard Set(lines.map(\.sku)).count == lines.count else { throw refuse("an article stands in one line only") }
    }
}

/// What `create-order` returns, and `charge` is told.
public struct PricedOrder: Codable, Sendable, Hashable {
    /// In cents.
    public var total: Int

    public init(total: Int) {
        self.total = total
    }
}
