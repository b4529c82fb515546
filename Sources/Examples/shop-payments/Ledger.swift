package import GRDB
import SagaParticipant
package import Shop

/// The payments' rules, over the rows of one transaction: a customer's balance may fall as far below nothing as the
/// customer has credit.
package struct Ledger {
    let db: Database

    package init(_ db: Database) {
        self.db = db
    }

    package static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS accounts (
                    customer TEXT PRIMARY KEY,
                    opening INTEGER NOT NULL,
                    balance INTEGER NOT NULL,
                    credit INTEGER NOT NULL CHECK (credit >= 0),
                    CHECK (balance >= -credit)
                ) STRICT;
                CREATE TABLE IF NOT EXISTS payments (
                    order_id TEXT PRIMARY KEY,
                    customer TEXT NOT NULL REFERENCES accounts,
                    amount INTEGER NOT NULL,
                    status TEXT NOT NULL CHECK (status IN ('captured', 'refunded'))
                ) STRICT;
                """)
    }

    package static func fill(_ db: Database, from seed: ShopSeed) throws {
        for account in seed.accounts {
            try db.execute(
                sql: "INSERT OR IGNORE INTO accounts (customer, opening, balance, credit) VALUES (?, ?, ?, ?)",
                arguments: [account.customer, account.balance, account.balance, account.credit])
        }
    }

    /// Takes the order's total from the customer's account.
    package func charge(_ request: OrderRequest, _ priced: PricedOrder) throws {
        try db.execute(
            sql: """
                UPDATE accounts SET balance = balance - ?1
                WHERE customer = ?2 AND balance - ?1 >= -credit
                """,
            arguments: [priced.total, request.customer])
        guard db.changesCount == 1 else { throw try refusal(of: request, priced) }
        try db.execute(
            sql: "INSERT INTO payments (order_id, customer, amount, status) VALUES (?, ?, ?, 'captured')",
            arguments: [request.order, request.customer, priced.total])
    }

    /// Gives back what was charged for an order.
    package func refund(_ request: OrderRequest) throws {
        try db.execute(
            sql: """
                UPDATE accounts SET balance = balance + payments.amount FROM payments
                WHERE payments.order_id = ? AND payments.status = 'captured' AND accounts.customer = payments.customer
                """,
            arguments: [request.order])
        guard db.changesCount == 1 else {
            throw Refusal(RefusalCodes.unexpectedState, "nothing was charged for \(request.order)")
        }
        try db.execute(sql: "UPDATE payments SET status = 'refunded' WHERE order_id = ?", arguments: [request.order])
    }

    private func refusal(of request: OrderRequest, _ priced: PricedOrder) throws -> Refusal {
        let account = try Row.fetchOne(
            db, sql: "SELECT balance, credit FROM accounts WHERE customer = ?", arguments: [request.customer])
        guard let account else {
            return Refusal(RefusalCodes.unknownCustomer, "\(request.customer) has no account")
        }
        let available: Int = account["balance"] + account["credit"]
        return Refusal(
            RefusalCodes.creditExceeded,
            "\(request.customer) can pay \(available) cents, the order costs \(priced.total)")
    }
}
