#!lua flags=allow-oom
-- Removes ended sagas: takes them out of the ended ones and out of their indexes, and replaces each log by a tombstone,
-- which expires when the saga's id may be used again. Only a saga that stands among the ended ones is removed. One that
-- is open all the same was taken back after its end: it keeps everything, and its next end puts it there again.
-- Works on a full server too: a tombstone is smaller than the log that it replaces.
--
-- KEYS[1] state: hash, the partition's state
-- KEYS[2] ended: sorted set, ended sagas by the instant of their removal
-- KEYS[3] open: sorted set, sagas that are not ended
-- KEYS[4…] logs: list, one for each saga in its order; then sorted sets: the indexes that they are taken out of
-- ARGV[1] owner: the taking's random text
-- ARGV[2] epoch: decimal
-- ARGV[3] sagas: decimal, at most 1,000
-- ARGV[4…] for each saga: saga, instant of its removal as it stands in `ended`, tombstone or empty for none, instant at
--     which that expires, number of indexes, and for each index: its place in KEYS
--
-- Returns: {'ok', now}; {'fenced'}, having written nothing
-- Repeat: harmless: a saga that is removed is not among the ended ones any more, and that is written last.
-- Complexity: O(sagas × (indexes × log(sagas of the index) + length of the log))
--!include clock
--!include fence
local state, ended, open = KEYS[1], KEYS[2], KEYS[3]
local owner, epoch, sagas = ARGV[1], ARGV[2], tonumber(ARGV[3])
local first_log, first_argument = 3, 4

-- Checks: these calls also fail on a key of a wrong type, before anything is written.
local sequence, last = fence(state, owner, epoch)
if not sequence then
    return {'fenced'}
end
for key = first_log + 1, first_log + sagas do
    redis.call('LLEN', KEYS[key])
end
for key = first_log + sagas + 1, #KEYS do
    redis.call('ZCARD', KEYS[key])
end
local is_due, is_open = {}, {}
local at = first_argument
for place = 1, sagas do
    local removal = redis.call('ZSCORE', ended, ARGV[at])
    is_due[place] = removal and tonumber(removal) == tonumber(ARGV[at + 1])
    is_open[place] = redis.call('ZSCORE', open, ARGV[at])
    at = at + 5 + tonumber(ARGV[at + 4])
end
local now = text(clock(last))

-- Writes.
at = first_argument
for place = 1, sagas do
    local saga, tombstone, expiry, indexes = ARGV[at], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
    if is_due[place] and not is_open[place] then
        local log = KEYS[first_log + place]
        for index = at + 5, at + 4 + indexes do
            redis.call('ZREM', KEYS[tonumber(ARGV[index])], saga)
        end
        redis.call('DEL', log)
        if tombstone ~= '' then
            redis.call('RPUSH', log, tombstone)
            redis.call('PEXPIREAT', log, expiry)
        end
    end
    if is_due[place] then
        redis.call('ZREM', ended, saga)
    end
    at = at + 5 + indexes
end
return {'ok', now}
