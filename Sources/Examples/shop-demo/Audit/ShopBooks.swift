/// What the rows of the three databases say.
package struct ShopBooks: Sendable, Hashable {
    package struct Order: Sendable, Hashable {
        package var customer: String
        package var day: String
        package var total: Int
        package var status: String
        /// Quantities by article.
        package var lines: [String: Int] = [:]
    }

    package struct Day: Sendable, Hashable {
        package var capacity: Int
        package var booked: Int
    }

    package struct Stock: Sendable, Hashable {
        package var initial: Int
        package var available: Int
    }

    package struct Reservation: Sendable, Hashable {
        package var status: String
        /// Quantities by article.
        package var lines: [String: Int] = [:]
    }

    package struct Account: Sendable, Hashable {
        package var opening: Int
        package var balance: Int
        package var credit: Int
    }

    package struct Payment: Sendable, Hashable {
        package var customer: String
        package var amount: Int
        package var status: String
    }

    // The orders' database.
    package var orders: [String: Order] = [:]
    package var days: [String: Day] = [:]
    // The inventory's.
    package var stock: [String: Stock] = [:]
    package var reservations: [String: Reservation] = [:]
    // The payments'.
    package var accounts: [String: Account] = [:]
    package var payments: [String: Payment] = [:]

    package init() {}
}
