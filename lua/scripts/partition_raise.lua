#!lua flags=allow-oom
-- Begins a new history of a partition, whose newest writes may have been lost: sets a higher era, and remembers the
-- server on which it began. Works on a full server too: it comes before everything that could free memory there.
--
-- KEYS[1] state: hash, the partition's state
-- ARGV[1] owner: the taking's random text
-- ARGV[2] epoch: decimal
-- ARGV[3] sequence: decimal, the commit sequence that the caller knows
-- ARGV[4] era: decimal
--
-- Returns: {'ok', now}; {'fenced'}; {'sequence'} where the sequence is another one or the stored era is not below
-- Repeat: refused with 'sequence', since the stored era is not below any more; the caller reloads.
-- Complexity: O(1)
--!include clock
--!include fence
--!include identity
local state = KEYS[1]
local owner, epoch, expected, era = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local sequence, last = fence(state, owner, epoch)
if not sequence then
    return {'fenced'}
end
if sequence ~= expected or (tonumber(redis.call('HGET', state, 'era') or '0') or 0) >= tonumber(era) then
    return {'sequence'}
end
local now = text(clock(last))
local run, replication = identity()

-- Writes.
redis.call('HSET', state, 'era', era, 'rewound', '1', 'run_id', run, 'replication_id', replication, 'clock', now)
return {'ok', now}
