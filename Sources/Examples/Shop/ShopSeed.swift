#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the shop begins with. Each service reads its own part into a database that does not have it yet.
public struct ShopSeed: Codable, Sendable, Hashable {
    public struct Product: Codable, Sendable, Hashable {
        public var sku: String
        /// In cents.
        public var price: Int

        public init(sku: String, price: Int) {
            self.sku = sku
            self.price = price
        }
    }

    public struct Day: Codable, Sendable, Hashable {
        public var day: String
        /// The most orders that can be delivered on it.
        public var capacity: Int

        public init(day: String, capacity: Int) {
            self.day = day
            self.capacity = capacity
        }
    }

    public struct Stock: Codable, Sendable, Hashable {
        public var sku: String
        public var quantity: Int

        public init(sku: String, quantity: Int) {
            self.sku = sku
            self.quantity = quantity
        }
    }

    public struct Account: Codable, Sendable, Hashable {
        public var customer: String
        /// In cents.
        public var balance: Int
        /// How far the balance may fall below nothing, in cents.
        public var credit: Int

        public init(customer: String, balance: Int, credit: Int) {
            self.customer = customer
            self.balance = balance
            self.credit = credit
        }
    }

    public var products: [Product]
    public var days: [Day]
    public var stock: [Stock]
    public var accounts: [Account]

    public init(products: [Product] = [], days: [Day] = [], stock: [Stock] = [], accounts: [Account] = []) {
        self.products = products
        self.days = days
        self.stock = stock
        self.accounts = accounts
    }

    /// Reads a seed file.
    public init(contentsOf path: String) throws {
        self = try JSONDecoder().decode(ShopSeed.self, from: Data(contentsOf: URL(filePath: path)))
    }

    /// Writes a seed file.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try encoder.encode(self).write(to: URL(filePath: path))
    }
}
