/// What the rows of the three databases say.
package struct ShopBooks: Sendable, Hashable {
    package struct Order: Sendable, Hashable {
        package var customer: String
        package var day: String
        package var total: Int
        package var status: String
        /// Quantities by article.
        package var lines: [String: Int] = [:]

        package init(customer: String, day: String, total: Int, status: String, lines: [String: Int] = [:]) {
            self.customer = customer
            self.day = day
            self.total = total
            self.status = status
            self.lines = lines
        }
    }

    package struct Day: Sendable, Hashable {
        package var capacity: Int
        package var booked: Int

        package init(capacity: Int, booked: Int) {
            self.capacity = capacity
            self.booked = booked
        }
    }

    package struct Stock: Sendable, Hashable {
        package var initial: Int
        package var available: Int

        package init(initial: Int, available: Int) {
            self.initial = initial
            self.available = available
        }
    }

    package struct Reservation: Sendable, Hashable {
        package var status: String
        /// Quantities by article.
        package var lines: [String: Int] = [:]

        package init(status: String, lines: [String: Int] = [:]) {
            self.status = status
            self.lines = lines
        }
    }

    package struct Account: Sendable, Hashable {
        package var opening: Int
        package var balance: Int
        package var credit: Int

        package init(opening: Int, balance: Int, credit: Int) {
            self.opening = opening
            self.balance = balance
            self.credit = credit
        }
    }

    package struct Payment: Sendable, Hashable {
        package var customer: String
        package var amount: Int
        package var status: String

        package init(customer: String, amount: Int, status: String) {
            self.customer = customer
            self.amount = amount
            self.status = status
        }
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
