#!lua flags=allow-oom
-- Extends a lease. The owner's name for itself is enough: what protects the data is the epoch in each commit.
-- Works on a full server too: partitions must not change hands because of that.
--
-- KEYS[1] state: hash, the partition's state
-- ARGV[1] owner: the taking's random text
-- ARGV[2] lease: decimal, milliseconds
--
-- Returns: {'renewed', maybe}, where `maybe` says whether the server is another one than the state was written on;
--     or {'lost'} where the owner is another one
-- Repeat: harmless, extends the lease again.
-- Complexity: O(1)
--!include clock
--!include identity
local state = KEYS[1]
local owner, lease = ARGV[1], ARGV[2]

local held = redis.call('HMGET', state, 'owner', 'clock', 'run_id', 'replication_id', 'renewals')
if held[1] ~= owner then
    return {'lost'}
end
local now = clock(held[2])
local run, replication = identity()
local maybe = '0'
if held[3] ~= run or held[4] ~= replication then
    maybe = '1'
end

-- Writes.
redis.call('HSET', state, 'until', text(now + tonumber(lease)), 'clock', text(now),
    'renewals', text((tonumber(held[5] or '0') or 0) + 1))
return {'renewed', maybe}
