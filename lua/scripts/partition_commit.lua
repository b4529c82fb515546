#!lua
-- Applies everything that one batch of inbox messages and alarms changes in a partition: log entries, alarms, indexes,
-- commands, outcomes, dead letters, the inbox positions and the commit sequence.
--
-- KEYS[1] state: hash, the partition's state
-- KEYS[2] open: sorted set, sagas that are not ended by their alarm
-- KEYS[3] ended: sorted set, ended sagas by the instant of their removal
-- KEYS[4] outcome: stream
-- KEYS[5] dead: stream
-- KEYS[6] reply: stream, inbound
-- KEYS[7] control: stream, inbound
-- KEYS[8] intake: stream, inbound
-- KEYS[9…] logs: list, one for each change in its order; then sorted sets: the indexes written to, of sagas by the
--     instant of their start; then streams: the command and event streams written to, and the event streams that dead
--     letters are about
-- ARGV[1] owner: the taking's random text
-- ARGV[2] epoch: decimal
-- ARGV[3] sequence: decimal, the commit sequence that this one extends
-- ARGV[4] reply: stream id, applied up to here
-- ARGV[5] control: stream id, likewise
-- ARGV[6] intake: stream id, likewise
-- ARGV[7] verified: decimal era that all open sagas have been brought to, or empty
-- ARGV[8] changes: decimal
-- ARGV[9] commands: decimal, with the events
-- ARGV[10] outcomes: decimal
-- ARGV[11] dead: decimal
-- ARGV[12] indexes: decimal, how many of KEYS are indexes
-- ARGV[13] replaced: decimal
-- ARGV[14…] for each command that another one replaces: index in KEYS of its stream, name of the stream's consumer group,
--     stream id; for each change: saga, length that the log must have, alarm ('keep', 'never', 'gone', 'rested', 'at',
--     'ended'), its instant or empty, number of entries, number of index changes, entries, and for each index change:
--     index in KEYS, instant of the saga's start or empty to take it out; for each command or event: index in
--     KEYS, number of arguments, names and values; for each outcome: number of arguments, names and values; for each
--     dead letter: index in KEYS, entry id, which message of the entry, reason, saga or empty; for each topic whose
--     position moves: 'event:' and its name, stream id up to which it is applied. At most 7,000 arguments of one
--     command or outcome.
--
-- Returns: {'ok', now, stream id of each command and event…}; {'fenced'}; {'sequence'}; {'log', saga} where a log has another length. Any but the first
--     wrote nothing.
-- Repeat: refused with 'sequence', which is written last. Dead letters come first: participants may write to their
--     stream too, and one whose ids are used up ends the script before anything is written. Should an error end it
--     half-way all the same, logs come before commands: a missing command is sent again when its attempt times out.
--     A replaced command goes only where nobody was given it: the group's last delivered entry comes before it, or there
--     is no group yet.
-- Complexity: O((changes + index changes) × log(sagas) + arguments + size of the entries that dead letters are about)
--!include clock
--!include fence
--!include groups
--!include order
local state, open, ended, outcome, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local owner, epoch, expected = ARGV[1], ARGV[2], ARGV[3]
local changes, commands = tonumber(ARGV[8]), tonumber(ARGV[9])
local outcomes, deads, indexes = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local replaced = tonumber(ARGV[13])
local first_log, first_replaced = 8, 14
local first_argument = first_replaced + 3 * replaced
local value_limit, field_limit = 4096, 256
-- Lua hands some 8,000 values to one call, and no more.
local push_limit = 4000

-- Checks: these calls also fail on a key of a wrong type, before anything is written.
local sequence, last = fence(state, owner, epoch)
if not sequence then
    return {'fenced'}
end
if sequence ~= expected then
    return {'sequence'}
end
redis.call('ZCARD', open)
redis.call('ZCARD', ended)
redis.call('XLEN', outcome)
redis.call('XLEN', dead)
local at = first_argument
for change = 1, changes do
    if redis.call('LLEN', KEYS[first_log + change]) ~= tonumber(ARGV[at + 1]) then
        return {'log', ARGV[at]}
    end
    at = at + 6 + tonumber(ARGV[at + 4]) + 2 * tonumber(ARGV[at + 5])
end
for key = first_log + changes + 1, first_log + changes + indexes do
    redis.call('ZCARD', KEYS[key])
end
for key = first_log + changes + indexes + 1, #KEYS do
    redis.call('XLEN', KEYS[key])
end
-- What dead letters are about: each entry is read once, and the places are noted where its messages begin. A message
-- begins at its type; what comes before the first type is a message of its own.
local originals = {}
if deads > 0 then
    local place = at
    for _ = 1, commands do
        place = place + 2 + tonumber(ARGV[place + 1])
    end
    for _ = 1, outcomes do
        place = place + 1 + tonumber(ARGV[place])
    end
    at = place
    for _ = 1, deads do
        local source, id = KEYS[tonumber(ARGV[place])], ARGV[place + 1]
        local name = source .. ' ' .. id
        if not originals[name] then
            local entry = redis.call('XRANGE', source, id, id)
            local fields, starts = entry[1] and entry[1][2] or {}, {}
            -- An event is one message, whatever its fields are called.
            local is_inbox = tonumber(ARGV[place]) <= first_log
            for field = 1, #fields, 2 do
                if field == 1 or is_inbox and fields[field] == 'type' then
                    starts[#starts + 1] = field
                end
            end
            originals[name] = {fields, starts}
        end
        place = place + 5
    end
end
-- Replaced commands that nobody was given.
local superseded = {}
if replaced > 0 then
    local delivered = {}
    for place = first_replaced, first_argument - 1, 3 do
        local stream, group, id = KEYS[tonumber(ARGV[place])], ARGV[place + 1], ARGV[place + 2]
        if not delivered[stream] then
            local reader = groups(stream)[group]
            delivered[stream] = reader and reader['last-delivered-id'] or '0-0'
        end
        if is_before(delivered[stream], id) then
            superseded[#superseded + 1] = {stream, id}
        end
    end
end
local now = text(clock(last))

-- Writes.
for _ = 1, deads do
    local source, id, position = KEYS[tonumber(ARGV[at])], ARGV[at + 1], tonumber(ARGV[at + 2])
    local letter = {'source', source, 'id', id, 'message', ARGV[at + 2], 'reason', ARGV[at + 3], 'at', now}
    if ARGV[at + 4] ~= '' then
        letter[#letter + 1] = 'saga'
        letter[#letter + 1] = ARGV[at + 4]
    end
    local original = originals[source .. ' ' .. id]
    local fields, first = original[1], original[2][position + 1] or #original[1] + 1
    local last_field = (original[2][position + 2] or #fields + 1) - 1
    for field = first, math.min(last_field, first + 2 * field_limit - 1), 2 do
        local value = fields[field + 1]
        if #value > value_limit then
            value = string.sub(value, 1, value_limit) .. '… (cut from ' .. #value .. ' bytes)'
        end
        letter[#letter + 1] = 'entry.' .. string.sub(fields[field], 1, value_limit)
        letter[#letter + 1] = value
    end
    redis.call('XADD', dead, '*', unpack(letter))
    at = at + 5
end
at = first_argument
for change = 1, changes do
    local saga, alarm, instant = ARGV[at], ARGV[at + 2], ARGV[at + 3]
    local entries, index_changes = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
    at = at + 6
    for first = at, at + entries - 1, push_limit do
        local next_first = math.min(first + push_limit, at + entries)
        redis.call('RPUSH', KEYS[first_log + change], unpack(ARGV, first, next_first - 1))
    end
    at = at + entries
    for _ = 1, index_changes do
        local index, started = KEYS[tonumber(ARGV[at])], ARGV[at + 1]
        if started == '' then
            redis.call('ZREM', index, saga)
        else
            redis.call('ZADD', index, started, saga)
        end
        at = at + 2
    end
    if alarm == 'at' then
        redis.call('ZADD', open, instant, saga)
    elseif alarm == 'never' then
        redis.call('ZADD', open, '+inf', saga)
    elseif alarm == 'gone' or alarm == 'rested' then
        redis.call('ZREM', open, saga)
    elseif alarm == 'ended' then
        redis.call('ZREM', open, saga)
        redis.call('ZADD', ended, instant, saga)
    end
end
for _, one in ipairs(superseded) do
    redis.call('XDEL', one[1], one[2])
end
local answer = {'ok', now}
for command = 1, commands do
    local arguments = tonumber(ARGV[at + 1])
    answer[command + 2] =
        redis.call('XADD', KEYS[tonumber(ARGV[at])], '*', unpack(ARGV, at + 2, at + 1 + arguments))
    at = at + 2 + arguments
end
for _ = 1, outcomes do
    local arguments = tonumber(ARGV[at])
    redis.call('XADD', outcome, '*', unpack(ARGV, at + 1, at + arguments))
    at = at + 1 + arguments
end
at = at + 5 * deads
if at <= #ARGV then
    redis.call('HSET', state, unpack(ARGV, at))
end
redis.call('HSET', state, 'sequence', text(tonumber(sequence) + 1), 'reply', ARGV[4], 'control', ARGV[5],
    'intake', ARGV[6], 'clock', now)
if ARGV[7] ~= '' then
    redis.call('HSET', state, 'verified', ARGV[7])
end
return answer
