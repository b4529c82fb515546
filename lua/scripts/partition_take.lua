#!lua flags=allow-oom
-- Takes a partition: makes the caller its owner under a higher epoch, where the lease is free or run out, was the
-- caller's, or the holder still shows the mark that the caller has seen for longer than the lease by its own clock.
-- The stored server identity is compared, not changed: the new owner raises the era first.
-- Works on a full server too: only an owner can trim what fills it.
--
-- KEYS[1] state: hash, the partition's state
-- ARGV[1] owner: random text, new for each taking
-- ARGV[2] name: the orchestrator's name, for people
-- ARGV[3] lease: decimal, milliseconds
-- ARGV[4] stale: mark of a holder known to be dead, or empty
-- ARGV[5] previous: owner under which the caller held the partition until now, or empty
-- ARGV[6] instance: the orchestrator's random text, new for each process
--
-- Returns: {'taken', epoch, sequence, reply, control, intake, era, rewound, verified, maybe, now, and for each topic
--     that was read its name and position}, where `rewound` says whether the era was ever raised and `maybe` whether
--     newest writes may be lost: the server is another one than the state was written on, or nothing is stored; or
--     {'held', name, lease, mark, instance}
-- Repeat: raises the epoch again, which fences nobody but the caller itself.
-- Complexity: O(topics that were read)
--!include clock
--!include holder
--!include identity
local state = KEYS[1]
local owner, name, lease, stale, previous, instance = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local held = redis.call('HMGET', state, 'owner', 'name', 'until', 'lease', 'renewals', 'epoch', 'sequence',
    'reply', 'control', 'intake', 'era', 'rewound', 'verified', 'clock', 'run_id', 'replication_id', 'instance')
local now = clock(held[14])
local mark = mark_of(held[1], held[6], held[5])

local is_free = not held[1] or held[1] == '' or held[1] == previous or (tonumber(held[3] or '0') or 0) <= now
if not is_free and mark ~= stale then
    return {'held', held[2] or '', held[4] or lease, mark, held[17] or ''}
end

local run, replication = identity()
local epoch = text((tonumber(held[6] or '0') or 0) + 1)
local era = held[11] or text(now)
local maybe = '0'
if held[15] ~= run or held[16] ~= replication then
    maybe = '1'
end
local answer = {'taken', epoch, held[7] or '0', held[8] or '0-0', held[9] or '0-0', held[10] or '0-0', era,
    held[12] or '0', held[13] or era, maybe, text(now)}
local fields = redis.call('HGETALL', state)
for field = 1, #fields, 2 do
    local topic = string.match(fields[field], '^event:(.+)$')
    if topic then
        answer[#answer + 1] = topic
        answer[#answer + 1] = fields[field + 1]
    end
end

-- Writes.
redis.call('HSET', state, 'owner', owner, 'name', name, 'instance', instance, 'until', text(now + tonumber(lease)),
    'lease', lease, 'renewals', '0', 'epoch', epoch, 'clock', text(now))
if not held[11] then
    redis.call('HSET', state, 'sequence', held[7] or '0', 'era', era, 'verified', era)
end
return answer
